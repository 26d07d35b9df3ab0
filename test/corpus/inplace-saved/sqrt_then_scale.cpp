// inplace-saved, throws: the square root saves its result, which is scaled in place.
#include <torch/torch.h>
#include <iostream>

struct NormLayer : torch::nn::Module {
  NormLayer(int64_t n) { gain = register_parameter("gain", torch::ones({n})); fc = register_module("fc", torch::nn::Linear(n, n)); }
  torch::Tensor forward(torch::Tensor x) {
    auto h = fc(x);
    auto rms = (h.pow(2).mean(-1, true) + 1e-5).sqrt();
    rms *= 2; //-@
    rms = rms * 2; //+
    return h / rms * gain;
  }
  torch::Tensor gain;
  torch::nn::Linear fc{nullptr};
};

int main() {
  torch::manual_seed(0);
  NormLayer layer(6);
  torch::optim::SGD opt(layer.parameters(), 0.1);
  auto x = torch::randn({4, 6});
  for (int i = 0; i < 2; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(layer.forward(x), x);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= layer
}
