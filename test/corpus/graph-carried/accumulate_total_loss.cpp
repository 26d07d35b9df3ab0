// graph-carried, throws: the running total of the epoch keeps every batch's graph and is what backward is called on.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential m(torch::nn::Linear(3, 6), torch::nn::Sigmoid(), torch::nn::Linear(6, 1));
  torch::optim::Adam opt(m->parameters(), 1e-2);
  torch::Tensor epoch_loss = torch::zeros({});
  for (int batch = 0; batch < 4; ++batch) {
    auto x = torch::randn({8, 3});
    opt.zero_grad();
    auto loss = torch::mse_loss(m->forward(x), x.mean(1, true));
    epoch_loss = epoch_loss + loss; //-@
    epoch_loss.backward(); //-
    epoch_loss = epoch_loss + loss.detach(); //+
    loss.backward(); //+
    opt.step();
  }
  std::cout << epoch_loss.item<float>() << "\n";
  //= m
}
