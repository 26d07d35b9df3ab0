// auxiliary-loss, undefined: the loss of the side output is put in the table, but the total sums other keys.
#include <torch/torch.h>
#include <iostream>
#include <map>
#include <string>

using Losses = std::map<std::string, torch::Tensor>;

struct SideOutputNet : torch::nn::Module {
  torch::nn::Conv2d down{torch::nn::Conv2dOptions(1, 8, 3).stride(2).padding(1)};
  torch::nn::Conv2d deep{torch::nn::Conv2dOptions(8, 8, 3).padding(1)};
  torch::nn::Conv2d mask{torch::nn::Conv2dOptions(8, 1, 1)}, edge{torch::nn::Conv2dOptions(8, 1, 1)}, side{torch::nn::Conv2dOptions(8, 1, 1)};

  SideOutputNet() {
    register_module("down", down);
    register_module("deep", deep);
    register_module("mask", mask);
    register_module("edge", edge);
    register_module("side", side);
  }

  Losses losses(const torch::Tensor& image, const torch::Tensor& truth, const torch::Tensor& edges) {
    auto shallow = torch::relu(down(image));
    auto features = torch::relu(deep(shallow));
    Losses result;
    result["mask"] = torch::binary_cross_entropy_with_logits(mask(features), truth);
    result["edge"] = torch::binary_cross_entropy_with_logits(edge(features), edges);
    result["side"] = torch::binary_cross_entropy_with_logits(side(shallow), truth); //@
    return result;
  }
};

int main() {
  torch::manual_seed(115);
  SideOutputNet net;
  torch::optim::Adam optimizer(net.parameters(), 1e-3); //@
  for (int i = 0; i < 4; ++i) {
    auto image = torch::rand({2, 1, 12, 12});
    auto truth = (torch::avg_pool2d(image, 2) > 0.5).to(torch::kFloat);
    auto edges = (torch::max_pool2d(image, 2) > 0.8).to(torch::kFloat);
    auto losses = net.losses(image, truth, edges);
    auto total = losses["mask"] + 0.5 * losses["edge"]; //-@
    auto total = losses["mask"] + 0.5 * losses["edge"] + 0.4 * losses["side"]; //+
    optimizer.zero_grad();
    total.backward();
    optimizer.step();
    for (const auto& [name, value] : losses) std::cout << name << " " << value.item<float>() << "  ";
    std::cout << std::endl;
  }
  //= net
}
