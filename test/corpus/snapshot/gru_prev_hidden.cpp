// snapshot, wrong: the previous hidden state is a second name of the tensor that the cell updates in place.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear in(3, 5), out(5, 1);
  std::vector<torch::Tensor> ps = in->parameters();
  for (auto& p : out->parameters()) ps.push_back(p);
  torch::optim::SGD opt(ps, 0.05);
  for (int i = 0; i < 3; ++i) {
    auto h = in(torch::randn({4, 3}));
    auto before = h; //-
    auto before = h.clone(); //+
    h.add_(in(torch::randn({4, 3}))); //@
    auto loss = out(h).pow(2).mean() + (h - before).abs().mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= in
}
