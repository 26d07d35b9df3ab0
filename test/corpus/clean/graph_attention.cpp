// clean: message passing with index_add_ into a fresh tensor, scatter and masks.
#include <torch/torch.h>
#include <iostream>

struct GatImpl : torch::nn::Module {
  GatImpl(int i, int o) {
    w = register_module("w", torch::nn::Linear(torch::nn::LinearOptions(i, o).bias(false)));
    a = register_parameter("a", torch::randn({2 * o}) * 0.1);
  }
  torch::Tensor forward(torch::Tensor x, torch::Tensor src, torch::Tensor dst) {
    auto h = w(x);
    auto e = torch::leaky_relu((torch::cat({h.index_select(0, src), h.index_select(0, dst)}, 1) * a).sum(1), 0.2).exp();
    auto norm = torch::zeros({x.size(0)}).index_add_(0, dst, e);
    auto alpha = e / norm.index_select(0, dst).clamp_min(1e-9);
    auto out = torch::zeros_like(h);
    out.index_add_(0, dst, h.index_select(0, src) * alpha.unsqueeze(1));
    return torch::elu(out);
  }
  torch::nn::Linear w{nullptr};
  torch::Tensor a;
};
TORCH_MODULE(Gat);

int main() {
  torch::manual_seed(0);
  Gat l1(5, 8), l2(8, 3);
  std::vector<torch::Tensor> params;
  for (auto& layer : {l1, l2})
    for (auto& p : layer->parameters()) params.push_back(p);
  torch::optim::Adam opt(params, 1e-2);
  auto x = torch::randn({9, 5});
  auto src = torch::randint(0, 9, {30}), dst = torch::randint(0, 9, {30});
  auto y = torch::randint(0, 3, {9});
  auto train_mask = torch::arange(9) < 6;
  for (int i = 0; i < 3; ++i) {
    auto out = l2->forward(torch::dropout(l1->forward(x, src, dst), 0.3, true), src, dst);
    auto loss = torch::nn::functional::cross_entropy(out.index({train_mask}), y.index({train_mask}));
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
