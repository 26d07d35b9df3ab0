// clip-order, wrong: gradients are clipped while they still carry the loss scale of a hand-written scaler.
#include <torch/torch.h>
#include <cmath>
#include <iostream>
#include <vector>

class LossScaler {
 public:
  explicit LossScaler(double initial = 1024.0) : scale_(initial) {}
  torch::Tensor scale(const torch::Tensor& loss) const { return loss * scale_; }
  bool unscale(const std::vector<torch::Tensor>& params) {
    bool finite = true;
    for (const auto& p : params) {
      if (!p.grad().defined()) continue;
      p.grad().mul_(1.0 / scale_);
      finite = finite && torch::isfinite(p.grad()).all().item<bool>();
    }
    return finite;
  }
  void update(bool finite) {
    good_ = finite ? good_ + 1 : 0;
    if (!finite) scale_ /= 2;
    else if (good_ % 100 == 0) scale_ *= 2;
  }

 private:
  double scale_;
  int good_ = 0;
};

struct TextCNN : torch::nn::Module {
  torch::nn::Embedding emb{50, 12};
  torch::nn::Conv1d conv{torch::nn::Conv1dOptions(12, 16, 3).padding(1)};
  torch::nn::Linear fc{16, 2};
  TextCNN() {
    register_module("emb", emb);
    register_module("conv", conv);
    register_module("fc", fc);
  }
  torch::Tensor forward(torch::Tensor tokens) {
    auto x = emb(tokens).transpose(1, 2);
    x = std::get<0>(torch::relu(conv(x)).max(2));
    return fc(x);
  }
};

int main() {
  torch::manual_seed(9);
  TextCNN model;
  auto params = model.parameters();
  torch::optim::SGD opt(params, torch::optim::SGDOptions(0.1));
  LossScaler scaler;
  for (int step = 0; step < 6; ++step) {
    auto tokens = torch::randint(0, 50, {16, 9});
    auto labels = (tokens.select(1, 0) > 24).to(torch::kLong);
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(model.forward(tokens), labels);
    scaler.scale(loss).backward();
    double norm = torch::nn::utils::clip_grad_norm_(params, 1.0); //-@
    bool ok = scaler.unscale(params);
    double norm = torch::nn::utils::clip_grad_norm_(params, 1.0); //+
    if (ok) opt.step();
    scaler.update(ok);
    std::cout << "step " << step << " loss " << loss.item<float>() << " norm " << norm << "\n";
  }
  //= model
}
