// optimizer-tensors, stale: the vector of parameters is overwritten in the loop, only the last member is trained.
#include <torch/torch.h>
#include <iostream>
#include <memory>
#include <vector>

struct Member : torch::nn::Module {
  Member() { net = register_module("net", torch::nn::Sequential(torch::nn::Linear(2, 10), torch::nn::Tanh(), torch::nn::Linear(10, 1))); }
  torch::Tensor forward(torch::Tensor x) { return net->forward(x); }
  torch::nn::Sequential net{nullptr};
};

int main() {
  torch::manual_seed(0);
  std::vector<std::shared_ptr<Member>> ensemble;
  std::vector<torch::Tensor> params;
  for (int i = 0; i < 3; ++i) {
    ensemble.push_back(std::make_shared<Member>());
    params = ensemble.back()->parameters(); //-@
    auto p = ensemble.back()->parameters(); //+
    params.insert(params.end(), p.begin(), p.end()); //+
  }
  torch::optim::Adam opt(params, 1e-2); //@
  auto x = torch::randn({20, 2}), y = x.sum(1, true);
  for (int e = 0; e < 5; ++e) {
    opt.zero_grad();
    auto loss = torch::zeros({});
    for (auto& m : ensemble) loss = loss + torch::mse_loss(m->forward(x), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= ensemble[0], ensemble[2]
}
