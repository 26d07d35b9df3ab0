// lost-write, wrong: the result of an out-of-place operation is dropped.
#include <torch/torch.h>
#include <iostream>

torch::Tensor augment(torch::Tensor img) {
  auto noise = torch::randn_like(img) * 0.5;
  img = img + noise;
  img.clamp(0, 1); //-@
  img = img.clamp(0, 1); //+
  return img;
}

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Flatten(), torch::nn::Linear(25, 3));
  torch::optim::SGD opt(net->parameters(), 0.1);
  auto imgs = torch::rand({6, 5, 5});
  auto y = torch::randint(0, 3, {6});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net->forward(augment(imgs)), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
