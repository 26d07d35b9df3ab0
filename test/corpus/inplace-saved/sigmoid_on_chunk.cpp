// inplace-saved, throws: sigmoid_ is called on an output of chunk, which is one of several views.
#include <torch/torch.h>
#include <iostream>

struct LSTMCellImpl : torch::nn::Module {
  LSTMCellImpl(int64_t in, int64_t hid) : hid(hid) {
    ih = register_module("ih", torch::nn::Linear(in, 4 * hid));
    hh = register_module("hh", torch::nn::Linear(hid, 4 * hid));
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(torch::Tensor x, torch::Tensor h, torch::Tensor c) {
    auto gates = (ih(x) + hh(h)).chunk(4, 1);
    auto i = gates[0].sigmoid_(); //-@
    auto f = gates[1].sigmoid_(); //-@
    auto o = gates[3].sigmoid_(); //-@
    auto i = gates[0].sigmoid(); //+
    auto f = gates[1].sigmoid(); //+
    auto o = gates[3].sigmoid(); //+
    auto g = gates[2].tanh();
    c = f * c + i * g;
    return {o * c.tanh(), c};
  }
  int64_t hid;
  torch::nn::Linear ih{nullptr}, hh{nullptr};
};
TORCH_MODULE(LSTMCell);

int main() {
  torch::manual_seed(0);
  LSTMCell cell(3, 6);
  torch::optim::Adam opt(cell->parameters(), 1e-3);
  auto seq = torch::randn({10, 4, 3});
  for (int epoch = 0; epoch < 2; ++epoch) {
    auto h = torch::zeros({4, 6}), c = torch::zeros({4, 6});
    opt.zero_grad();
    for (int t = 0; t < seq.size(0); ++t) std::tie(h, c) = cell->forward(seq[t], h, c);
    auto loss = h.square().sum();
    loss.backward();
    opt.step();
    std::cout << "loss " << loss.item<float>() << "\n";
  }
  //= cell
}
