// clean: LBFGS with a closure and parameters held in a plain struct.
#include <torch/torch.h>
#include <iostream>

struct Params {
  torch::Tensor amp = torch::tensor(1.0, torch::dtype(torch::kDouble).requires_grad(true));
  torch::Tensor freq = torch::tensor(2.0, torch::dtype(torch::kDouble).requires_grad(true));
  torch::Tensor phase = torch::zeros({}, torch::dtype(torch::kDouble)).requires_grad_();
  std::vector<torch::Tensor> list() { return {amp, freq, phase}; }
};

int main() {
  Params p;
  auto t = torch::linspace(0, 1, 50, torch::kDouble);
  auto y = 1.4 * torch::sin(2.2 * t + 0.1);
  torch::optim::LBFGS opt(p.list(), torch::optim::LBFGSOptions(1.0).max_iter(10).line_search_fn("strong_wolfe"));
  std::function<torch::Tensor()> closure = [&] {
    opt.zero_grad();
    auto loss = (p.amp * torch::sin(p.freq * t + p.phase) - y).square().sum();
    loss.backward();
    return loss;
  };
  for (int i = 0; i < 3; ++i) std::cout << opt.step(closure).item<double>() << "\n";
  std::cout << p.amp.item<double>() << " " << p.freq.item<double>() << "\n";
}
