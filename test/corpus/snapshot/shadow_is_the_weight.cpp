// snapshot, stale|wrong: the moving average starts from the weights themselves, and its update shrinks what is trained.
#include <torch/torch.h>
#include <iostream>
#include <unordered_map>

struct Ema {
  explicit Ema(const torch::nn::Module& model, double decay) : decay(decay) {
    for (auto& kv : model.named_parameters())
      shadow[kv.key()] = kv.value().detach(); //-@
      shadow[kv.key()] = kv.value().detach().clone(); //+
  }
  void update(const torch::nn::Module& model) {
    torch::NoGradGuard guard;
    for (auto& kv : model.named_parameters()) {
      auto& average = shadow.at(kv.key());
      average.mul_(decay).add_(kv.value(), 1.0 - decay);
    }
  }
  double decay;
  std::unordered_map<std::string, torch::Tensor> shadow;
};

class Denoiser : public torch::nn::Module {
 public:
  Denoiser() {
    in_ = register_module("in", torch::nn::Linear(3, 32));
    out_ = register_module("out", torch::nn::Linear(32, 2));
  }
  torch::Tensor forward(torch::Tensor noisy, torch::Tensor t) {
    return out_(torch::silu(in_(torch::cat({noisy, t}, 1))));
  }

 private:
  torch::nn::Linear in_{nullptr}, out_{nullptr};
};

int main() {
  torch::manual_seed(90);
  auto net = std::make_shared<Denoiser>();
  Ema ema(*net, 0.99);
  torch::optim::AdamW opt(net->parameters(), torch::optim::AdamWOptions(2e-3));
  auto data = torch::randn({64, 2}) * 0.3 + 1;
  for (int step = 0; step < 6; ++step) {
    auto t = torch::rand({64, 1});
    auto noise = torch::randn_like(data);
    auto noisy = (1 - t) * data + t * noise;
    auto loss = torch::mse_loss(net->forward(noisy, t), noise);
    opt.zero_grad();
    loss.backward();
    opt.step();
    ema.update(*net);
    std::cout << step << ' ' << loss.item<float>() << '\n';
  }
  //= net
}
