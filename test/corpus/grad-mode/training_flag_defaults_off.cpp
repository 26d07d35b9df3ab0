// grad-mode, undefined: the encoder records only when it is told that this is training, and the loop does not say so.
#include <torch/torch.h>
#include <iostream>

struct EncoderImpl : torch::nn::Module {
  EncoderImpl() : a(10, 16), b(16, 6) {
    register_module("a", a);
    register_module("b", b);
  }
  torch::Tensor forward(const torch::Tensor& x, bool training = false) {
    torch::AutoGradMode mode(training); //@
    return torch::relu(b(torch::relu(a(x))));
  }
  torch::nn::Linear a, b;
};
TORCH_MODULE(Encoder);

struct Model {
  Encoder encoder;
  torch::nn::Linear head{6, 2};
  std::vector<torch::Tensor> parameters() {
    auto all = encoder->parameters();
    for (auto& p : head->parameters()) all.push_back(p);
    return all;
  }
};

int main() {
  torch::manual_seed(100);
  Model model;
  torch::optim::Adam adam(model.parameters(), 1e-3);
  auto inputs = torch::randn({12, 10}), targets = torch::randn({12, 2});
  for (int epoch = 0; epoch < 3; ++epoch) {
    adam.zero_grad();
    auto code = model.encoder->forward(inputs); //-@
    auto code = model.encoder->forward(inputs, true); //+
    auto loss = torch::mse_loss(model.head(code), targets);
    loss.backward();
    adam.step();
    auto validation = torch::mse_loss(model.head(model.encoder->forward(inputs)), targets);
    std::cout << loss.item<float>() << " / " << validation.item<float>() << '\n';
  }
  //= model.encoder, model.head
}
