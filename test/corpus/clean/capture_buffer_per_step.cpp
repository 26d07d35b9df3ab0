// clean: one capture buffer is refilled for every step, after the step that used it is done; the log keeps numbers.
#include <torch/torch.h>
#include <deque>
#include <iostream>
#include <numeric>
#include <vector>

class Camera {
 public:
  Camera(int w, int h) : w_(w), h_(h), raw_(w * h) {}
  const std::vector<unsigned char>& grab() {
    for (size_t i = 0; i < raw_.size(); ++i) raw_[i] = static_cast<unsigned char>((i * 7 + tick_ * 13) % 256);
    ++tick_;
    return raw_;
  }
  int width() const { return w_; }
  int height() const { return h_; }

 private:
  int w_, h_, tick_ = 0;
  std::vector<unsigned char> raw_;
};

struct Denoiser : torch::nn::Module {
  torch::nn::Conv2d a{torch::nn::Conv2dOptions(1, 6, 3).padding(1)}, b{torch::nn::Conv2dOptions(6, 1, 3).padding(1)};
  Denoiser() {
    register_module("a", a);
    register_module("b", b);
  }
  torch::Tensor forward(torch::Tensor x) { return x - b(a(x).relu_()); }
};

int main() {
  torch::manual_seed(10);
  Camera camera(10, 8);
  Denoiser net;
  torch::optim::RMSprop opt(net.parameters(), 1e-3);
  std::deque<float> window;
  torch::Tensor total = torch::zeros({});
  for (int i = 0; i < 6; ++i) {
    const auto& bytes = camera.grab();
    auto frame = torch::from_blob(const_cast<unsigned char*>(bytes.data()), {1, 1, camera.height(), camera.width()}, torch::kUInt8);
    auto clean = frame.to(torch::kFloat32).div_(255);
    auto noisy = clean + 0.1 * torch::randn_like(clean);
    auto loss = torch::l1_loss(net.forward(noisy), clean);
    opt.zero_grad();
    loss.backward();
    opt.step();
    total += loss.detach();
    window.push_back(loss.item<float>());
    if (window.size() > 3) window.pop_front();
    std::cout << std::accumulate(window.begin(), window.end(), 0.f) / window.size() << "\n";
  }
  std::cout << "mean " << (total / 6).item<float>() << "\n";
  //= net
}
