// optimizer-tensors, stale|undefined: the learnable scale is a tensor member that requires grad but was never registered.
#include <torch/torch.h>
#include <iostream>

struct ScaledHeadImpl : torch::nn::Module {
  ScaledHeadImpl(int64_t in, int64_t out) : fc(register_module("fc", torch::nn::Linear(in, out))) {
    scale = torch::ones({out}, torch::requires_grad()); //-@
    scale = register_parameter("scale", torch::ones({out})); //+
  }
  torch::Tensor forward(torch::Tensor x) { return scale * torch::nn::functional::normalize(fc(x)); }
  torch::nn::Linear fc;
  torch::Tensor scale;
};
TORCH_MODULE(ScaledHead);

int main() {
  torch::manual_seed(6);
  ScaledHead head(4, 3);
  torch::optim::AdamW opt(head->parameters(), torch::optim::AdamWOptions(1e-2).weight_decay(1e-3));
  auto x = torch::randn({11, 4});
  auto t = torch::randint(0, 3, {11});
  for (int e = 0; e < 3; ++e) {
    auto loss = torch::nn::functional::cross_entropy(head(x), t);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= head->scale, head
}
