// buffer-reuse, wrong: tensors made by from_blob share the one frame buffer that is refilled.
#include <torch/torch.h>
#include <iostream>
#include <vector>

void grab(float* frame, int n, int seed) {
  for (int i = 0; i < n; ++i) frame[i] = static_cast<float>((i * 37 + seed * 11) % 17) / 17.0f;
}

struct Net : torch::nn::Module {
  Net() { fc = register_module("fc", torch::nn::Linear(16, 2)); }
  torch::Tensor forward(torch::Tensor x) { return fc(x); }
  torch::nn::Linear fc{nullptr};
};

int main() {
  torch::manual_seed(0);
  float frame[16];
  std::vector<torch::Tensor> frames;
  for (int i = 0; i < 4; ++i) {
    grab(frame, 16, i); //@
    frames.push_back(torch::from_blob(frame, {16})); //-@
    frames.push_back(torch::from_blob(frame, {16}).clone()); //+
  }
  auto batch = torch::stack(frames);
  auto y = torch::randint(0, 2, {4});
  Net net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  for (int e = 0; e < 3; ++e) {
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net.forward(batch), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
