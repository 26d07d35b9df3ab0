// clean: a hand-written GRU fills a fresh output tensor row by row and carries its state detached.
#include <torch/torch.h>
#include <iostream>

class HandGRU : public torch::nn::Module {
 public:
  HandGRU(int64_t in, int64_t hidden) : hidden_(hidden) {
    wi = register_parameter("wi", torch::randn({in, 3 * hidden}) * 0.2);
    wh = register_parameter("wh", torch::randn({hidden, 3 * hidden}) * 0.2);
    b = register_parameter("b", torch::zeros({3 * hidden}));
  }
  torch::Tensor forward(const torch::Tensor& x) { // time, batch, feature
    if (!state_.defined()) state_ = torch::zeros({x.size(1), hidden_});
    auto out = torch::empty({x.size(0), x.size(1), hidden_});
    auto h = state_;
    for (int64_t t = 0; t < x.size(0); ++t) {
      auto gx = (torch::matmul(x[t], wi) + b).chunk(3, -1);
      auto gh = torch::matmul(h, wh).chunk(3, -1);
      auto z = torch::sigmoid(gx[0] + gh[0]), r = torch::sigmoid(gx[1] + gh[1]);
      auto n = (gx[2] + r * gh[2]).tanh_();
      h = z * h + (1 - z) * n;
      out[t].copy_(h);
    }
    state_ = h.detach();
    return out;
  }
  torch::Tensor wi, wh, b;

 private:
  int64_t hidden_;
  torch::Tensor state_;
};

int main() {
  torch::manual_seed(0);
  HandGRU gru(2, 8);
  torch::nn::Linear read(8, 2);
  std::vector<torch::optim::OptimizerParamGroup> groups{{gru.parameters()}, {read->parameters()}};
  groups[1].set_options(std::make_unique<torch::optim::AdamOptions>(1e-2));
  torch::optim::Adam opt(std::move(groups), torch::optim::AdamOptions(1e-3));
  auto stream = torch::sin(torch::arange(200).to(torch::kFloat) * 0.3).view({20, 5, 2});
  for (int64_t from = 0; from + 5 < 20; from += 4) {
    auto x = stream.slice(0, from, from + 4), y = stream.slice(0, from + 1, from + 5);
    auto loss = torch::mse_loss(read(gru.forward(x)), y);
    opt.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(gru.parameters(), 1.0);
    opt.step();
    std::cout << loss.item<float>() << '\n';
  }
}
