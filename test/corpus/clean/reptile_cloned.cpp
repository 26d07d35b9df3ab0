// clean: Reptile: a clone of the net learns each task, the outer net is moved towards it without grad.
#include <torch/torch.h>
#include <iostream>

class SineModel : public torch::nn::Cloneable<SineModel> {
 public:
  SineModel() { reset(); }
  void reset() override {
    fc1 = register_module("fc1", torch::nn::Linear(1, 16));
    fc2 = register_module("fc2", torch::nn::Linear(16, 1));
  }
  torch::Tensor forward(const torch::Tensor& x) { return fc2->forward(torch::tanh(fc1->forward(x))); }

 private:
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};

std::shared_ptr<SineModel> adapt(const SineModel& start, double amplitude, int steps) {
  auto fast = std::dynamic_pointer_cast<SineModel>(start.clone());
  torch::optim::SGD inner(fast->parameters(), 0.05);
  for (int i = 0; i < steps; ++i) {
    auto x = torch::rand({10, 1}) * 4 - 2;
    auto loss = torch::mse_loss(fast->forward(x), amplitude * torch::sin(x));
    inner.zero_grad();
    loss.backward();
    inner.step();
  }
  return fast;
}

void move_towards(SineModel& slow, const SineModel& fast, double rate) {
  torch::NoGradGuard guard;
  auto target = fast.named_parameters();
  for (auto& p : slow.named_parameters()) p.value().lerp_(target[p.key()], rate);
}

float evaluate(SineModel& model) {
  torch::NoGradGuard guard;
  model.eval();
  auto x = torch::linspace(-2, 2, 20).unsqueeze(1);
  auto loss = torch::mse_loss(model.forward(x), torch::sin(x));
  model.train();
  return loss.item<float>();
}

int main() {
  torch::manual_seed(11);
  auto slow = std::make_shared<SineModel>();
  for (int i = 0; i < 6; ++i) {
    auto fast = adapt(*slow, 0.5 + 0.3 * i, 3);
    move_towards(*slow, *fast, 0.2);
    std::cout << i << " " << evaluate(*slow) << "\n";
  }
  //= slow
}
