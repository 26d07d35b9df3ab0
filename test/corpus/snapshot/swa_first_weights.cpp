// snapshot, stale: the running average of the weights starts from the weights themselves, not from a copy.
#include <torch/torch.h>
#include <iostream>
struct Averager {
  std::vector<torch::Tensor> mean; int n = 0;
  void add(const torch::nn::Module& m) {
    torch::NoGradGuard g;
    auto ps = m.parameters();
    if (n == 0) mean.assign(ps.begin(), ps.end()); //-@
    if (n == 0) for (auto& p : ps) mean.push_back(p.detach().clone()); //+
    else for (size_t i = 0; i < ps.size(); ++i) mean[i].add_((ps[i] - mean[i]) / (n + 1));
    ++n;
  }
  void apply(torch::nn::Module& m) {
    torch::NoGradGuard g;
    auto ps = m.parameters();
    for (size_t i = 0; i < ps.size(); ++i) ps[i].copy_(mean[i]);
  }
};
int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(4, 1);
  torch::optim::SGD opt(net->parameters(), 0.3);
  Averager avg;
  for (int i = 0; i < 5; ++i) {
    auto x = torch::randn({8, 4});
    opt.zero_grad();
    torch::mse_loss(net(x), x.sum(1, true)).backward();
    opt.step();
    avg.add(*net);
  }
  avg.apply(*net);
  std::cout << net->weight << "\n";
  //= net
}
