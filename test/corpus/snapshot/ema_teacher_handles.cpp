// snapshot, stale: the mean teacher is a list of handles to the student's weights, so its average never lags behind.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct MeanTeacher {
  explicit MeanTeacher(const torch::nn::Module& student) {
    for (const auto& p : student.parameters())
      shadow.push_back(p.detach()); //-@
    for (const auto& p : student.parameters()) //+
      shadow.push_back(p.detach().clone()); //+
  }
  void update(const torch::nn::Module& student, double decay) {
    torch::NoGradGuard guard;
    auto now = student.parameters();
    for (size_t i = 0; i < now.size(); ++i)
      shadow[i].lerp_(now[i], 1.0 - decay);
  }
  void write_to(torch::nn::Module& student) const {
    torch::NoGradGuard guard;
    auto now = student.parameters();
    for (size_t i = 0; i < now.size(); ++i) now[i].copy_(shadow[i]);
  }
  std::vector<torch::Tensor> shadow;
};

int main() {
  torch::manual_seed(4);
  torch::nn::Linear student(5, 2);
  MeanTeacher teacher(*student);
  torch::optim::SGD sgd(student->parameters(), 0.2);
  for (int step = 0; step < 6; ++step) {
    auto x = torch::randn({16, 5});
    auto y = torch::randint(0, 2, {16});
    auto loss = torch::nn::functional::cross_entropy(student(x), y);
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    teacher.update(*student, 0.9);
  }
  teacher.write_to(*student);
  std::cout << student->weight.norm() << "\n";
  //= student
}
