// lost-leaf, throws: the optimizer is given the stacked pose, which is computed from the leaves.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

struct Pose {
  torch::Tensor angle = torch::zeros({1}, torch::requires_grad());
  torch::Tensor tx = torch::zeros({1}, torch::requires_grad());
  torch::Tensor ty = torch::zeros({1}, torch::requires_grad());

  torch::Tensor vector() const { return torch::cat({angle, tx, ty}); }

  torch::Tensor transform(const torch::Tensor& points) const {
    auto c = torch::cos(angle), s = torch::sin(angle);
    auto rotation = torch::stack({torch::cat({c, -s}), torch::cat({s, c})});
    return points.mm(rotation.t()) + torch::cat({tx, ty});
  }
};

torch::Tensor chamfer(const torch::Tensor& a, const torch::Tensor& b) {
  auto d = torch::cdist(a, b);
  return std::get<0>(d.min(0)).mean() + std::get<0>(d.min(1)).mean();
}

int main() {
  torch::manual_seed(117);
  auto model = torch::rand({25, 2});
  Pose truth, pose;
  {
    torch::NoGradGuard guard;
    truth.angle.fill_(0.4);
    truth.tx.fill_(0.3);
    truth.ty.fill_(-0.2);
  }
  auto scene = truth.transform(model).detach();
  std::vector<torch::Tensor> unknowns = {pose.vector()}; //-@
  std::vector<torch::Tensor> unknowns = {pose.angle, pose.tx, pose.ty}; //+
  torch::optim::Adam optimizer(unknowns, torch::optim::AdamOptions(0.05)); //@
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    auto loss = chamfer(pose.transform(model), scene);
    loss.backward();
    optimizer.step();
    if (i % 3 == 0) std::cout << i << " " << loss.item<float>() << " angle " << pose.angle.item<float>() << "\n";
  }
  //= pose.angle, pose.tx, pose.ty
}
