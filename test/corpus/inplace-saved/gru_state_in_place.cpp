// inplace-saved, throws: the hand-written GRU cell blends the new state into the old one in place.
#include <torch/torch.h>
#include <iostream>

struct CellImpl : torch::nn::Module {
  CellImpl(int64_t in, int64_t hidden) : xz(in, hidden), xr(in, hidden), xn(in, hidden), hz(hidden, hidden), hr(hidden, hidden), hn(hidden, hidden) {
    register_module("xz", xz); register_module("xr", xr); register_module("xn", xn);
    register_module("hz", hz); register_module("hr", hr); register_module("hn", hn);
  }
  void advance(const torch::Tensor& x, torch::Tensor& h) {
    auto z = torch::sigmoid(xz(x) + hz(h));
    auto r = torch::sigmoid(xr(x) + hr(h));
    auto n = torch::tanh(xn(x) + r * hn(h));
    h.mul_(1 - z).add_(z * n); //-@
    h = h * (1 - z) + z * n; //+
  }
  torch::nn::Linear xz, xr, xn, hz, hr, hn;
};
TORCH_MODULE(Cell);

class Regressor : public torch::nn::Module {
 public:
  Regressor() : cell(3, 10), read(10, 1) {
    register_module("cell", cell);
    register_module("read", read);
  }
  torch::Tensor forward(const torch::Tensor& sequence) { // time, batch, feature
    auto h = torch::zeros({sequence.size(1), 10});
    for (int64_t t = 0; t < sequence.size(0); ++t) cell->advance(sequence[t], h);
    return read(h).squeeze(1);
  }
  Cell cell;
  torch::nn::Linear read;
};

int main() {
  torch::manual_seed(0);
  Regressor model;
  torch::optim::RMSprop opt(model.parameters(), 1e-3);
  auto x = torch::randn({6, 9, 3});
  auto y = x.sum(at::IntArrayRef({0, 2}));
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = torch::smooth_l1_loss(model.forward(x), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << '\n';
  }
  //= model
}
