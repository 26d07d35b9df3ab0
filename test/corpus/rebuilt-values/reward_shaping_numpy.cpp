// rebuilt-values, undefined: outputs go through a std::vector of floats and back into a tensor.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct ScoreNet : torch::nn::Module {
  ScoreNet() { enc = register_module("enc", torch::nn::Linear(6, 6)); score = register_module("score", torch::nn::Linear(6, 1)); gate = register_module("gate", torch::nn::Linear(6, 1)); }
  torch::Tensor forward(torch::Tensor x) {
    auto h = torch::relu(enc(x));
    auto s = score(h).squeeze(1);
    auto w = torch::softmax(gate(h).squeeze(1), 0);
    std::vector<float> raw(w.data_ptr<float>(), w.data_ptr<float>() + w.numel()); //-@
    w = torch::from_blob(raw.data(), {static_cast<int64_t>(raw.size())}).clone(); //-@
    return (s * w).sum();
  }
  torch::nn::Linear enc{nullptr}, score{nullptr}, gate{nullptr};
};

int main() {
  torch::manual_seed(0);
  ScoreNet net;
  torch::optim::Adam opt(net.parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({5, 6});
    auto loss = (net.forward(x) - 1).pow(2);
    opt.zero_grad();
    loss.backward();
    //= net
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
