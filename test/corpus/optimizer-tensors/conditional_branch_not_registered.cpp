// optimizer-tensors, stale: the shortcut convolution of the residual block is made without register_module.
#include <torch/torch.h>
#include <iostream>

namespace nn = torch::nn;

class BlockImpl : public nn::Module {
 public:
  BlockImpl(int64_t in, int64_t out, int64_t stride) {
    conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false)));
    bn1 = register_module("bn1", nn::BatchNorm2d(out));
    conv2 = register_module("conv2", nn::Conv2d(nn::Conv2dOptions(out, out, 3).padding(1).bias(false)));
    bn2 = register_module("bn2", nn::BatchNorm2d(out));
    if (stride != 1 || in != out) {
      shortcut = nn::Conv2d(nn::Conv2dOptions(in, out, 1).stride(stride)); //-@
      shortcut = register_module("shortcut", nn::Conv2d(nn::Conv2dOptions(in, out, 1).stride(stride))); //+
    }
  }
  torch::Tensor forward(const torch::Tensor& x) {
    auto y = torch::relu(bn1(conv1(x)));
    y = bn2(conv2(y));
    y = y + (shortcut.is_empty() ? x : shortcut(x));
    return torch::relu(y);
  }

  nn::Conv2d conv1{nullptr}, conv2{nullptr}, shortcut{nullptr};
  nn::BatchNorm2d bn1{nullptr}, bn2{nullptr};
};
TORCH_MODULE(Block);

struct ResNet : nn::Module {
  nn::Sequential layers{nullptr};
  nn::Linear fc{nullptr};
  ResNet() {
    layers = register_module("layers", nn::Sequential(Block(3, 4, 1), Block(4, 8, 2)));
    fc = register_module("fc", nn::Linear(8, 3));
  }
  torch::Tensor forward(const torch::Tensor& x) { return fc(layers->forward(x).mean({2, 3})); }
};

int main() {
  torch::manual_seed(300);
  ResNet net;
  torch::optim::SGD opt(net.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9).weight_decay(1e-4));
  for (int i = 0; i < 4; ++i) {
    auto x = torch::rand({4, 3, 8, 8});
    auto y = x.mean({2, 3}).argmax(1);
    auto loss = nn::functional::cross_entropy(net.forward(x), y);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << "iter " << i << " loss " << loss.item<float>() << "\n";
  }
  //= net.fc, net.layers->at<BlockImpl>(1).shortcut
}
