// grad-mode, throws: the guard meant for the teacher covers the student's forward pass too.
#include <torch/torch.h>
#include <iostream>

namespace F = torch::nn::functional;

class NetImpl : public torch::nn::Module {
 public:
  NetImpl(int64_t width) : in_(6, width), out_(width, 4) {
    register_module("in", in_);
    register_module("out", out_);
  }
  torch::Tensor forward(const torch::Tensor& x) { return out_(F::gelu(in_(x))); }

 private:
  torch::nn::Linear in_, out_;
};
TORCH_MODULE(Net);

struct Logits {
  torch::Tensor teacher, student;
};

Logits forward_both(Net& teacher, Net& student, const torch::Tensor& x) {
  Logits logits;
  torch::NoGradGuard no_grad; //-@
  { //+
    torch::NoGradGuard no_grad; //+
    logits.teacher = teacher->forward(x);
  } //+
  logits.student = student->forward(x);
  return logits;
}

torch::Tensor distillation(const Logits& l, const torch::Tensor& labels, double temperature, double alpha) {
  auto soft = F::kl_div(torch::log_softmax(l.student / temperature, 1), torch::softmax(l.teacher / temperature, 1),
                        F::KLDivFuncOptions().reduction(torch::kBatchMean));
  return alpha * temperature * temperature * soft + (1 - alpha) * F::cross_entropy(l.student, labels);
}

int main() {
  torch::manual_seed(118);
  Net teacher(64), student(8);
  teacher->eval();
  torch::optim::SGD optimizer(student->parameters(), torch::optim::SGDOptions(0.1));
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({20, 6});
    auto labels = x.slice(1, 0, 4).argmax(1);
    auto loss = distillation(forward_both(teacher, student, x), labels, 3, 0.7);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= student
}
