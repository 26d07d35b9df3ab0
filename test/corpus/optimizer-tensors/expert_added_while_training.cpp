// optimizer-tensors, stale: an expert that joins the mixture half way through is not in the optimizer.
#include <torch/torch.h>
#include <iostream>
#include <vector>

class ExpertImpl : public torch::nn::Module {
 public:
  ExpertImpl(int64_t in, int64_t out) : fc1(in, 16), fc2(16, out) {
    register_module("fc1", fc1);
    register_module("fc2", fc2);
  }
  torch::Tensor forward(const torch::Tensor& x) { return fc2(torch::relu(fc1(x))); }

 private:
  torch::nn::Linear fc1, fc2;
};
TORCH_MODULE(Expert);

class MixtureImpl : public torch::nn::Module {
 public:
  explicit MixtureImpl(int n) {
    register_module("experts", experts);
    for (int i = 0; i < n; ++i) add_expert();
  }
  void add_expert() { experts->push_back(Expert(5, 2)); }
  torch::Tensor forward(const torch::Tensor& x) {
    std::vector<torch::Tensor> outputs;
    for (const auto& expert : *experts) outputs.push_back(expert->as<Expert>()->forward(x));
    return torch::stack(outputs).mean(0);
  }

  torch::nn::ModuleList experts;
};
TORCH_MODULE(Mixture);

int main() {
  torch::manual_seed(3);
  Mixture mixture(2);
  torch::optim::Adam optimizer(mixture->parameters(), torch::optim::AdamOptions(5e-3)); //@
  auto data = torch::randn({32, 5});
  auto target = torch::stack({data.sum(1), data.prod(1)}, 1);
  for (int epoch = 0; epoch < 8; ++epoch) {
    if (epoch == 4) {
      mixture->add_expert(); //@
      optimizer.add_param_group(torch::optim::OptimizerParamGroup(mixture->experts->ptr(2)->parameters())); //+
      std::cout << "mixture has grown\n";
    }
    optimizer.zero_grad();
    auto loss = torch::mse_loss(mixture->forward(data), target);
    loss.backward();
    optimizer.step();
    std::cout << epoch << ": " << loss.item<double>() << '\n';
  }
  //= mixture
}
