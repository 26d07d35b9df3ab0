// clean: in-place operations where nothing was saved.
#include <torch/torch.h>
#include <iostream>

struct Block : torch::nn::Module {
  Block(int c) {
    conv1 = register_module("conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(c, c, 3).padding(1).bias(false)));
    bn1 = register_module("bn1", torch::nn::BatchNorm2d(c));
    conv2 = register_module("conv2", torch::nn::Conv2d(torch::nn::Conv2dOptions(c, c, 3).padding(1).bias(false)));
    bn2 = register_module("bn2", torch::nn::BatchNorm2d(c));
  }
  torch::Tensor forward(torch::Tensor x) {
    auto identity = x;
    auto out = bn1(conv1(x)).relu_();
    out = bn2(conv2(out));
    out += identity;
    return out.relu_();
  }
  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr}, bn2{nullptr};
};

int main() {
  torch::manual_seed(0);
  Block block(4);
  torch::nn::Linear fc(4, 2);
  auto params = block.parameters();
  for (auto& p : fc->parameters()) params.push_back(p);
  torch::optim::SGD opt(params, 0.05);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::rand({2, 4, 6, 6});
    x.sub_(0.5).div_(0.25);
    x.index_put_({0, torch::indexing::Slice(), 0}, 0.0);
    auto h = block.forward(x).mean({2, 3});
    auto logits = fc(h);
    logits -= logits.detach().amax(1, true);
    auto loss = torch::nn::functional::cross_entropy(logits, torch::randint(0, 2, {2}));
    opt.zero_grad();
    loss.backward();
    opt.step();
    auto stats = h.detach().clone();
    stats.div_(stats.norm() + 1e-6);
    std::cout << loss.item<float>() << " " << stats.max().item<float>() << "\n";
  }
}
