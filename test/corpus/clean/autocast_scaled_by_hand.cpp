// clean: bfloat16 autocast in a scope of its own, a loss scale by hand, unscaled before the clip, skipped when not finite.
#include <torch/torch.h>
#include <ATen/autocast_mode.h>
#include <iostream>

class AutocastScope {
 public:
  AutocastScope() : before_(at::autocast::is_autocast_enabled(at::kCPU)) {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  ~AutocastScope() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, before_);
  }
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool before_;
};

struct Mixer : torch::nn::Module {
  torch::nn::Linear tokens{8, 8}, channels{6, 6}, head{6, 3};
  Mixer() {
    register_module("tokens", tokens);
    register_module("channels", channels);
    register_module("head", head);
  }
  torch::Tensor forward(torch::Tensor x) {
    x = x + torch::gelu(tokens(x.transpose(1, 2))).transpose(1, 2);
    x = x + torch::gelu(channels(x));
    return head(x.mean(1));
  }
};

int main() {
  torch::manual_seed(207);
  Mixer model;
  torch::optim::Adam optimizer(model.parameters(), 1e-3);
  double scale = 512;
  int clean_steps = 0;
  for (int i = 0; i < 6; ++i) {
    auto x = torch::randn({8, 8, 6});
    auto y = x.mean(1).slice(1, 0, 3).argmax(1);
    torch::Tensor loss;
    {
      AutocastScope scope;
      loss = torch::nn::functional::cross_entropy(model.forward(x).to(torch::kFloat), y);
    }
    optimizer.zero_grad();
    (loss * scale).backward();
    bool finite = true;
    {
      torch::NoGradGuard guard;
      for (auto& p : model.parameters()) {
        p.mutable_grad().div_(scale);
        finite = finite && p.grad().isfinite().all().item<bool>();
      }
    }
    if (finite) {
      torch::nn::utils::clip_grad_norm_(model.parameters(), 1.0);
      optimizer.step();
      if (++clean_steps % 4 == 0) scale *= 2;
    } else {
      scale /= 2;
      clean_steps = 0;
    }
    std::cout << loss.item<float>() << " x" << scale << "\n";
  }
  //= model
}
