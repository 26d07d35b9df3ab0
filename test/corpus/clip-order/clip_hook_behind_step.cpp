// clip-order, wrong: the trainer calls the hook in which the gradients are clipped only after the step.
#include <torch/torch.h>
#include <iostream>

template <class Model>
class TrainerBase {
 public:
  TrainerBase(Model model, double lr) : model_(model), opt_(model->parameters(), torch::optim::SGDOptions(lr)) {}
  virtual ~TrainerBase() = default;

  void run(const torch::Tensor& x, const torch::Tensor& y, int epochs) {
    for (int e = 0; e < epochs; ++e) {
      opt_.zero_grad();
      auto loss = criterion(model_->forward(x), y);
      loss.backward();
      after_backward(); //+
      opt_.step();
      after_backward(); //-
      if (e % 2 == 0) std::cout << name() << " " << loss.template item<float>() << "\n";
    }
  }

 protected:
  virtual torch::Tensor criterion(const torch::Tensor& out, const torch::Tensor& y) = 0;
  virtual void after_backward() {}
  virtual const char* name() const { return "trainer"; }
  Model model_;
  torch::optim::SGD opt_;
};

struct ConvNetImpl : torch::nn::Module {
  ConvNetImpl() {
    conv = register_module("conv", torch::nn::Conv2d(1, 4, 3));
    fc = register_module("fc", torch::nn::Linear(4 * 6 * 6, 10));
  }
  torch::Tensor forward(torch::Tensor x) { return fc(torch::elu(conv(x)).flatten(1)); }
  torch::nn::Conv2d conv{nullptr};
  torch::nn::Linear fc{nullptr};
};
TORCH_MODULE(ConvNet);

class ClippedTrainer : public TrainerBase<ConvNet> {
 public:
  using TrainerBase<ConvNet>::TrainerBase;

 protected:
  torch::Tensor criterion(const torch::Tensor& out, const torch::Tensor& y) override { return torch::cross_entropy_loss(out, y); }
  void after_backward() override { torch::nn::utils::clip_grad_norm_(model_->parameters(), 0.25); } //@
  const char* name() const override { return "clipped"; }
};

int main() {
  torch::manual_seed(14);
  ConvNet net;
  ClippedTrainer trainer(net, 0.2);
  trainer.run(torch::randn({8, 1, 8, 8}) * 3, torch::randint(0, 10, {8}), 5);
  //= net
}
