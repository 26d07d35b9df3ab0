// inplace-saved, throws: the custom Function saved its input, and the block adds the result into that input.
#include <torch/torch.h>
#include <iostream>

using namespace torch::autograd;

class Swish : public Function<Swish> {
 public:
  static torch::Tensor forward(AutogradContext* ctx, torch::Tensor input) {
    ctx->save_for_backward({input});
    return input * torch::sigmoid(input);
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad_output) {
    auto input = ctx->get_saved_variables()[0];
    auto s = torch::sigmoid(input);
    return {grad_output[0] * (s + input * s * (1 - s))};
  }
};

torch::Tensor swish(const torch::Tensor& x) { return Swish::apply(x); }

struct ResidualImpl : torch::nn::Module {
  explicit ResidualImpl(int64_t width) : fc(width, width), norm(torch::nn::LayerNormOptions({width})) {
    register_module("fc", fc);
    register_module("norm", norm);
  }
  torch::Tensor forward(torch::Tensor x) {
    x = norm(fc(x));
    auto y = swish(x);
    x += y; //-@
    x = x + y; //+
    return x;
  }
  torch::nn::Linear fc;
  torch::nn::LayerNorm norm;
};
TORCH_MODULE(Residual);

int main() {
  torch::manual_seed(107);
  torch::nn::Sequential net;
  net->push_back("in", torch::nn::Linear(3, 8));
  for (int i = 0; i < 3; ++i) net->push_back("block" + std::to_string(i), Residual(8));
  net->push_back("out", torch::nn::Linear(8, 1));
  torch::optim::SGD optimizer(net->parameters(), 1e-2);
  auto x = torch::randn({32, 3});
  auto y = (x.select(1, 0) * x.select(1, 2)).unsqueeze(1);
  for (int epoch = 0; epoch < 5; ++epoch) {
    auto loss = torch::huber_loss(net->forward(x), y);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    std::cout << loss.item<float>() << '\n';
  }
  //= net
}
