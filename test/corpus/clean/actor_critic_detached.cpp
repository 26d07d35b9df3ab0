// clean: an actor-critic step whose advantage and target are cut on purpose, with an entropy bonus.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear trunk(4, 10), pi(10, 3), v(10, 1);
  std::vector<torch::Tensor> ps;
  for (auto& m : {trunk, pi, v}) for (auto& p : m->parameters()) ps.push_back(p);
  torch::optim::Adam opt(ps, 1e-2);
  for (int i = 0; i < 3; ++i) {
    auto s = torch::randn({12, 4}), n = torch::randn({12, 4}), r = torch::randn({12, 1});
    auto h = torch::tanh(trunk(s));
    auto logp = torch::log_softmax(pi(h), 1);
    auto a = torch::randint(0, 3, {12, 1});
    auto target = r + 0.99 * v(torch::tanh(trunk(n))).detach();
    auto delta = target - v(h);
    auto loss = -(logp.gather(1, a) * delta.detach()).mean() + delta.pow(2).mean() + 0.01 * (logp.exp() * logp).sum(1).mean();
    opt.zero_grad(); loss.backward(); opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= trunk, pi, v
}
