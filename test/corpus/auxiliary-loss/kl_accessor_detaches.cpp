// auxiliary-loss, wrong: the layer's accessor for its KL term returns a detached value, which the loss adds.
#include <torch/torch.h>
#include <iostream>
#include <vector>

class BayesLinearImpl : public torch::nn::Module {
 public:
  BayesLinearImpl(int64_t in, int64_t out) {
    mu_ = register_parameter("mu", torch::randn({out, in}) * 0.2);
    rho_ = register_parameter("rho", torch::full({out, in}, -3.0));
    bias_ = register_parameter("bias", torch::zeros({out}));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    auto sigma = torch::nn::functional::softplus(rho_);
    auto weight = mu_ + sigma * torch::randn_like(sigma);
    kl_ = (-torch::log(sigma) + 0.5 * (sigma.pow(2) + mu_.pow(2)) - 0.5).sum();
    return torch::linear(x, weight, bias_);
  }

  torch::Tensor kl() const {
    return kl_.detach(); //-@
    return kl_; //+
  }

 private:
  torch::Tensor mu_, rho_, bias_, kl_;
};
TORCH_MODULE(BayesLinear);

struct BayesNet : torch::nn::Module {
  std::vector<BayesLinear> layers;
  BayesNet() {
    layers.push_back(register_module("l1", BayesLinear(2, 12)));
    layers.push_back(register_module("l2", BayesLinear(12, 1)));
  }
  torch::Tensor forward(torch::Tensor x) { return layers[1](torch::relu(layers[0](x))); }
  torch::Tensor kl() const {
    torch::Tensor total = torch::zeros({});
    for (const auto& l : layers) total = total + l->kl();
    return total;
  }
};

int main() {
  torch::manual_seed(114);
  BayesNet net;
  torch::optim::Adam opt(net.parameters(), 1e-2);
  auto x = torch::rand({40, 2}), y = (x.select(1, 0) - x.select(1, 1)).abs().unsqueeze(1);
  for (int i = 0; i < 6; ++i) {
    auto likelihood = torch::mse_loss(net.forward(x), y) * 40;
    auto loss = likelihood + 0.1 * net.kl();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << "likelihood " << likelihood.item<float>() << " kl " << net.kl().item<float>() << "\n";
  }
  //= net
}
