// clean: targets are built by writing into tensors under no tracking: masks, index assignment, accessors.
#include <torch/torch.h>
#include <iostream>

struct Targets { torch::Tensor cls, box, weight; };

Targets build(const std::vector<std::array<float, 4>>& boxes, int64_t grid) {
  Targets t{torch::zeros({grid, grid}), torch::zeros({4, grid, grid}), torch::full({grid, grid}, 0.1f)};
  auto acc = t.cls.accessor<float, 2>();
  for (const auto& b : boxes) {
    int64_t i = static_cast<int64_t>(b[0] * grid), j = static_cast<int64_t>(b[1] * grid);
    acc[i][j] = 1.f;
    for (int k = 0; k < 4; ++k) t.box[k][i][j] = b[k];
    t.weight.index_put_({i, j}, 1.0f);
  }
  auto negative = t.cls == 0;
  t.weight.masked_fill_(negative & (torch::rand({grid, grid}) < 0.5), 0.0);
  return t;
}

struct Head : torch::nn::Module {
  Head() { conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 5, 3).padding(1))); }
  torch::Tensor forward(torch::Tensor x) {
    auto y = conv(x).squeeze(0);
    return torch::cat({torch::sigmoid(y.slice(0, 0, 1)), y.slice(0, 1)});
  }
  torch::nn::Conv2d conv{nullptr};
};

int main() {
  torch::manual_seed(0);
  Head head;
  torch::optim::SGD opt(head.parameters(), 0.01);
  for (int i = 0; i < 3; ++i) {
    auto t = build({{0.1f, 0.2f, 0.3f, 0.3f}, {0.6f, 0.7f, 0.2f, 0.1f}}, 6);
    auto out = head.forward(torch::rand({1, 3, 6, 6}));
    auto cls = (torch::binary_cross_entropy(out[0], t.cls, t.weight));
    auto box = ((out.slice(0, 1) - t.box).abs() * t.cls).sum() / t.cls.sum().clamp_min(1);
    auto loss = cls + box;
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
