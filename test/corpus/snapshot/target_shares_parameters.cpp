// snapshot, stale: the target network is the same module, not a copy of it.
#include <torch/torch.h>
#include <iostream>

struct QImpl : torch::nn::Module {
  QImpl() : a(4, 24), b(24, 2) { register_module("a", a); register_module("b", b); }
  torch::Tensor forward(torch::Tensor x) { return b(torch::relu(a(x))); }
  torch::nn::Linear a, b;
};
TORCH_MODULE(Q);

int main() {
  torch::manual_seed(0);
  Q online;
  Q target = online; //-@
  Q target; //+
  { torch::NoGradGuard g; auto tp = target->parameters(), op = online->parameters(); for (size_t i = 0; i < tp.size(); ++i) tp[i].copy_(op[i]); } //+
  torch::optim::Adam opt(online->parameters(), 1e-2);
  for (int i = 0; i < 6; ++i) {
    auto s = torch::randn({8, 4}), s2 = torch::randn({8, 4}), r = torch::randn({8});
    auto q = online->forward(s).index({torch::indexing::Slice(), 0});
    auto y = r + 0.95 * std::get<0>(target->forward(s2).max(1)).detach();
    auto loss = torch::nn::functional::huber_loss(q, y);
    opt.zero_grad();
    loss.backward();
    opt.step();
    if (i % 3 == 2) {
      torch::NoGradGuard no_grad;
      auto tp = target->parameters(), op = online->parameters();
      for (size_t k = 0; k < tp.size(); ++k) tp[k].copy_(op[k]);
    }
  }
  //= online
  std::cout << "done\n";
}
