// zero-grad, undefined: the gradients are cleared between backward and step, so nothing is stepped.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential model(torch::nn::Linear(3, 16), torch::nn::Tanh(), torch::nn::Linear(16, 1));
  torch::optim::RMSprop optim(model->parameters(), torch::optim::RMSpropOptions(0.01));

  torch::Tensor x = torch::randn({200, 3});
  torch::Tensor y = torch::sin(x).sum(1, /*keepdim=*/true);

  for (int i = 0; i < 15; i++) {
    optim.zero_grad(); //+
    torch::Tensor out = model->forward(x);
    torch::Tensor loss = torch::mse_loss(out, y);
    loss.backward();
    optim.zero_grad(); //-@
    optim.step();
    //= model
    std::cout << i << "\t" << loss.item().toFloat() << "\n";
  }
}
