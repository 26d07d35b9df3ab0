// changed-between, throws: every call standardises the shared weight in place; the second twin invalidates the first.
#include <torch/torch.h>
#include <iostream>

namespace F = torch::nn::functional;

class StdConvImpl : public torch::nn::Module {
 public:
  StdConvImpl(int64_t in, int64_t out, int64_t k) {
    weight = register_parameter("weight", torch::randn({out, in, k, k}) * 0.1);
    bias = register_parameter("bias", torch::zeros({out}));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    standardise(); //-
    auto mean = weight.mean({1, 2, 3}, true), std = weight.std({1, 2, 3}, true, true) + 1e-5; //+
    return F::conv2d(x, (weight - mean) / std, F::Conv2dFuncOptions().bias(bias).padding(1)); //+
    return F::conv2d(x, weight, F::Conv2dFuncOptions().bias(bias).padding(1));
  }

 private:
  void standardise() {
    torch::NoGradGuard no_grad;
    auto mean = weight.mean({1, 2, 3}, true);
    auto std = weight.std({1, 2, 3}, true, true) + 1e-5;
    weight.sub_(mean).div_(std); //@
  }
  torch::Tensor weight, bias;
};
TORCH_MODULE(StdConv);

struct Siamese : torch::nn::Module {
  StdConv c1{1, 6, 3}, c2{6, 6, 3};
  torch::nn::Linear fc{6, 4};
  Siamese() {
    register_module("c1", c1);
    register_module("c2", c2);
    register_module("fc", fc);
  }
  torch::Tensor embed(const torch::Tensor& x) { return fc(torch::tanh(c2(torch::tanh(c1(x)))).mean({2, 3})); }
  torch::Tensor forward(const torch::Tensor& left, const torch::Tensor& right) {
    return F::pairwise_distance(embed(left), embed(right));
  }
};

int main() {
  torch::manual_seed(13);
  Siamese net;
  torch::optim::Adam opt(net.parameters(), 1e-3);
  for (int i = 0; i < 4; ++i) {
    auto left = torch::rand({6, 1, 8, 8}), right = torch::rand({6, 1, 8, 8});
    auto same = (left.mean({1, 2, 3}) > right.mean({1, 2, 3})).to(torch::kFloat);
    auto d = net.forward(left, right);
    auto loss = (same * d.pow(2) + (1 - same) * torch::relu(1 - d).pow(2)).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << std::endl;
  }
  //= net
}
