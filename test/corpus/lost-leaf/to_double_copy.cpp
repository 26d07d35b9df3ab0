// lost-leaf, undefined|stale: to(kDouble) makes a copy with history, the copy gets no gradient.
#include <torch/torch.h>
#include <iostream>

struct Spline {
  explicit Spline(int64_t n) {
    auto options = torch::TensorOptions().dtype(torch::kFloat32).requires_grad(true);
    coeffs = torch::zeros({n}, options).to(torch::kFloat64); //-@
    coeffs = torch::zeros({n}, options.dtype(torch::kFloat64)); //+
    knots = torch::linspace(0, 1, n, torch::kFloat64);
  }
  torch::Tensor eval(const torch::Tensor& t) const {
    auto basis = torch::exp(-100 * (t.unsqueeze(1) - knots.unsqueeze(0)).pow(2));
    return basis.matmul(coeffs);
  }
  torch::Tensor coeffs, knots;
};

int main() {
  torch::manual_seed(0);
  Spline s(12);
  auto t = torch::rand({64}, torch::kFloat64);
  auto y = torch::sin(6 * t);
  for (int it = 0; it < 3; ++it) {
    auto loss = torch::mse_loss(s.eval(t), y);
    loss.backward();
    //= s.coeffs
    auto g = s.coeffs.grad();
    if (!g.defined()) {
      std::cout << "no gradient!\n";
      continue;
    }
    torch::NoGradGuard guard;
    s.coeffs -= 0.5 * g;
    g.zero_();
    std::cout << loss.item<double>() << "\n";
  }
}
