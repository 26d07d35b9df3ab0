// clean: self-distillation: the teacher's outputs are cut, its centre is moved in place after use, its weights by average.
#include <torch/torch.h>
#include <iostream>

class HeadImpl : public torch::nn::Module {
 public:
  HeadImpl() : mlp_(torch::nn::Linear(6, 16), torch::nn::GELU(), torch::nn::Linear(16, 8)) { register_module("mlp", mlp_); }
  torch::Tensor forward(const torch::Tensor& x) { return mlp_->forward(x); }

 private:
  torch::nn::Sequential mlp_;
};
TORCH_MODULE(Head);

struct DinoLoss : torch::nn::Module {
  DinoLoss() { center = register_buffer("center", torch::zeros({1, 8})); }
  torch::Tensor forward(const torch::Tensor& student, const torch::Tensor& teacher) {
    auto target = torch::softmax((teacher - center) / 0.04, -1).detach();
    auto loss = -(target * torch::log_softmax(student / 0.1, -1)).sum(-1).mean();
    update(teacher);
    return loss;
  }
  torch::Tensor center;

 private:
  void update(const torch::Tensor& teacher) {
    torch::NoGradGuard guard;
    center.mul_(0.9).add_(teacher.mean(0, true), 0.1);
  }
};

template <typename M>
void copy_weights(M& to, const M& from) {
  torch::NoGradGuard guard;
  auto source = from->parameters();
  auto target = to->parameters();
  for (size_t i = 0; i < source.size(); i++) {
    target[i].copy_(source[i]);
    target[i].requires_grad_(false);
  }
}

template <typename M>
void ema(M& to, const M& from, double m) {
  torch::NoGradGuard guard;
  auto source = from->parameters();
  auto target = to->parameters();
  for (size_t i = 0; i < source.size(); i++) target[i].lerp_(source[i], 1 - m);
}

int main() {
  torch::manual_seed(201);
  Head student, teacher;
  copy_weights(teacher, student);
  DinoLoss criterion;
  torch::optim::AdamW opt(student->parameters(), torch::optim::AdamWOptions(1e-3).weight_decay(0.04));
  for (int i = 0; i < 5; ++i) {
    auto x = torch::randn({16, 6});
    auto v1 = x + 0.2 * torch::randn_like(x), v2 = x + 0.2 * torch::randn_like(x);
    auto loss = 0.5 * (criterion.forward(student(v1), teacher(v2)) + criterion.forward(student(v2), teacher(v1)));
    opt.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(student->parameters(), 3.0);
    opt.step();
    ema(teacher, student, 0.99);
    std::cout << loss.item<float>() << std::endl;
  }
  //= student
}
