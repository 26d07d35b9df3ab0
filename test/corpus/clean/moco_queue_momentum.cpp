// clean: momentum contrast; keys without grad, a ring buffer of keys written in place, key encoder moved by hand.
#include <torch/torch.h>
#include <iostream>

namespace F = torch::nn::functional;

struct EncoderImpl : torch::nn::Module {
  EncoderImpl() {
    body = register_module("body", torch::nn::Sequential(torch::nn::Linear(8, 16), torch::nn::ReLU(), torch::nn::Linear(16, 4)));
  }
  torch::Tensor forward(const torch::Tensor& x) { return F::normalize(body->forward(x), F::NormalizeFuncOptions().dim(1)); }
  torch::nn::Sequential body{nullptr};
};
TORCH_MODULE(Encoder);

class MoCo {
 public:
  MoCo() {
    auto from = query->parameters(), to = key->parameters();
    for (size_t i = 0; i < from.size(); ++i) {
      to[i].data().copy_(from[i].data());
      to[i].set_requires_grad(false);
    }
    queue = F::normalize(torch::randn({32, 4}), F::NormalizeFuncOptions().dim(1));
  }

  torch::Tensor loss(const torch::Tensor& a, const torch::Tensor& b) {
    auto q = query(a);
    torch::Tensor k;
    {
      torch::NoGradGuard no_grad;
      momentum_update();
      k = key(b);
    }
    auto positive = (q * k).sum(1, true);
    auto negative = q.mm(queue.clone().detach().t());
    auto logits = torch::cat({positive, negative}, 1) / 0.2;
    auto labels = torch::zeros({a.size(0)}, torch::kLong);
    enqueue(k);
    return F::cross_entropy(logits, labels);
  }

  Encoder query, key;

 private:
  void momentum_update() {
    auto from = query->parameters(), to = key->parameters();
    for (size_t i = 0; i < from.size(); ++i) to[i].mul_(0.99).add_(from[i], 0.01);
  }
  void enqueue(const torch::Tensor& keys) {
    torch::NoGradGuard no_grad;
    queue.slice(0, cursor, cursor + keys.size(0)).copy_(keys);
    cursor = (cursor + keys.size(0)) % queue.size(0);
  }
  torch::Tensor queue;
  int64_t cursor = 0;
};

int main() {
  torch::manual_seed(0);
  MoCo moco;
  torch::optim::SGD opt(moco.query->parameters(), torch::optim::SGDOptions(0.03).momentum(0.9));
  for (int i = 0; i < 5; ++i) {
    auto x = torch::randn({8, 8});
    auto loss = moco.loss(x + 0.1 * torch::randn_like(x), x + 0.1 * torch::randn_like(x));
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= moco.query
}
