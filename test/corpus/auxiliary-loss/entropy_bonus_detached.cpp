// auxiliary-loss, wrong: the entropy bonus is read as a number, adding it to the loss changes nothing.
#include <torch/torch.h>
#include <iostream>

torch::Tensor entropy(const torch::Tensor& logp) { return -(logp.exp() * logp).sum(1).mean(); }

int main() {
  torch::manual_seed(0);
  torch::nn::Linear pi(5, 4);
  torch::optim::Adam opt(pi->parameters(), 1e-2);
  for (int i = 0; i < 3; ++i) {
    auto s = torch::randn({14, 5});
    auto logp = torch::log_softmax(pi(s), 1);
    auto a = torch::randint(0, 4, {14, 1});
    auto ret = torch::randn({14, 1});
    auto loss = -(logp.gather(1, a) * ret).mean();
    loss = loss - 0.01 * entropy(logp).item<float>(); //-@
    loss = loss - 0.01 * entropy(logp); //+
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= pi
}
