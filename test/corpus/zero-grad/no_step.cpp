// zero-grad, stale: the step is forgotten.
#include <torch/torch.h>
#include <iostream>

class Autoencoder : public torch::nn::Module {
 public:
  Autoencoder() {
    encoder = register_module("encoder", torch::nn::Sequential(torch::nn::Linear(12, 6), torch::nn::ReLU()));
    decoder = register_module("decoder", torch::nn::Sequential(torch::nn::Linear(6, 12), torch::nn::Sigmoid()));
  }
  torch::Tensor forward(torch::Tensor x) { return decoder->forward(encoder->forward(x)); }
 private:
  torch::nn::Sequential encoder{nullptr}, decoder{nullptr};
};

int main() {
  torch::manual_seed(0);
  Autoencoder ae;
  torch::optim::Adam optimizer(ae.parameters(), torch::optim::AdamOptions(1e-3).weight_decay(1e-5)); //@
  torch::Tensor x = torch::rand({16, 12});
  for (int epoch = 0; epoch < 5; ++epoch) {
    torch::Tensor loss = torch::mse_loss(ae.forward(x), x);
    optimizer.zero_grad();
    loss.backward(); //@
    optimizer.step(); //+
    std::cout << "epoch [" << epoch + 1 << "/5], loss: " << loss.item<float>() << std::endl;
  }
  //= ae
}
