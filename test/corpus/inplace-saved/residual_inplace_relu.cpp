// inplace-saved, wrong: the residual branch opens with an in-place ReLU, so the skip adds the rectified input.
#include <torch/torch.h>
#include <iostream>

class PreActBlockImpl : public torch::nn::Module {
 public:
  PreActBlockImpl(int channels) {
    conv1 = register_module("conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, channels, 3).padding(1)));
    conv2 = register_module("conv2", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, channels, 3).padding(1)));
    relu = register_module("relu", torch::nn::ReLU(torch::nn::ReLUOptions(true))); //-@
    relu = register_module("relu", torch::nn::ReLU()); //+
  }
  torch::Tensor forward(torch::Tensor x) {
    torch::Tensor out = relu->forward(x); //@
    out = conv1->forward(out);
    out = conv2->forward(relu->forward(out));
    return out + x;
  }
 private:
  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr};
  torch::nn::ReLU relu{nullptr};
};
TORCH_MODULE(PreActBlock);

struct Net : torch::nn::Module {
  Net() {
    stem = register_module("stem", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 3).padding(1)));
    block = register_module("block", PreActBlock(8));
    fc = register_module("fc", torch::nn::Linear(8, 4));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = block->forward(stem->forward(x));
    return fc->forward(x.mean({2, 3}));
  }
  torch::nn::Conv2d stem{nullptr};
  PreActBlock block{nullptr};
  torch::nn::Linear fc{nullptr};
};

int main() {
  torch::manual_seed(2);
  Net net;
  torch::optim::SGD optimizer(net.parameters(), torch::optim::SGDOptions(0.01).momentum(0.9));
  auto images = torch::randn({4, 3, 8, 8});
  auto labels = torch::randint(0, 4, {4});
  for (int i = 0; i < 3; ++i) {
    optimizer.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net.forward(images), labels);
    loss.backward();
    optimizer.step();
    std::cout << i << ' ' << loss.item<float>() << std::endl;
  }
  //= net
}
