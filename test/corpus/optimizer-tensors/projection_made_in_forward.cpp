// optimizer-tensors, stale: the projection is made in the first forward, after the optimizer took the parameters.
#include <torch/torch.h>
#include <iostream>

struct AudioNetImpl : torch::nn::Module {
  explicit AudioNetImpl(int classes) : classes_(classes) {
    conv1 = register_module("conv1", torch::nn::Conv1d(torch::nn::Conv1dOptions(1, 6, 5).stride(2)));
    conv2 = register_module("conv2", torch::nn::Conv1d(torch::nn::Conv1dOptions(6, 8, 3).stride(2)));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(conv1(x));
    x = torch::relu(conv2(x));
    x = x.flatten(1);
    if (!fc) { // the input length is not known before
      fc = torch::nn::Linear(x.size(1), classes_);
      register_module("fc", fc);
    }
    return fc(x);
  }
  int classes_;
  torch::nn::Conv1d conv1{nullptr}, conv2{nullptr};
  torch::nn::Linear fc{nullptr};
};
TORCH_MODULE(AudioNet);

int main() {
  torch::manual_seed(3);
  AudioNet net(5);
  auto waves = torch::randn({10, 1, 64});
  auto labels = torch::randint(0, 5, {10});
  net->forward(torch::zeros({1, 1, 64})); //+
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9)); //@
  net->train();
  for (int step = 0; step < 5; ++step) {
    auto loss = torch::nll_loss(torch::log_softmax(net->forward(waves), 1), labels);
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    printf("step %d: %.4f\n", step, loss.item<double>());
  }
  //= net->conv1->weight, net->fc->weight
}
