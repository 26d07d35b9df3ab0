// rebuilt-values, undefined: the policy loss is summed up as numbers and made a tensor again.
#include <torch/torch.h>
#include <iostream>
#include <numeric>
#include <vector>

int main() {
  torch::manual_seed(0);
  torch::nn::Linear policy(4, 2);
  torch::optim::Adam opt(policy->parameters(), 0.01);
  for (int episode = 0; episode < 2; ++episode) {
    std::vector<float> rewards;
    std::vector<float> terms; //-
    std::vector<torch::Tensor> terms; //+
    for (int t = 0; t < 5; ++t) {
      auto logp = torch::log_softmax(policy(torch::randn({4})), 0);
      auto a = logp.exp().multinomial(1);
      terms.push_back(-logp.index_select(0, a).item<float>()); //-@
      terms.push_back(-logp.index_select(0, a)); //+
      rewards.push_back(1.0f + t);
    }
    float ret = std::accumulate(rewards.begin(), rewards.end(), 0.0f);
    auto loss = torch::tensor(terms).sum() * ret; //-@
    auto loss = torch::cat(terms).sum() * ret; //+
    loss.requires_grad_(true); //-
    opt.zero_grad();
    loss.backward();
    //= policy
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
