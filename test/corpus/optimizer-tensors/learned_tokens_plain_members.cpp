// optimizer-tensors, stale: class token and position embedding of the transformer are tensors that were never registered.
#include <torch/torch.h>
#include <iostream>

using torch::Tensor;

struct ViTImpl : torch::nn::Module {
  ViTImpl(int64_t patches, int64_t width, int64_t classes) {
    patch = register_module("patch", torch::nn::Linear(4, width));
    cls = torch::zeros({1, 1, width}, torch::requires_grad()); //-@
    position = torch::randn({1, patches + 1, width}).mul_(0.02).requires_grad_(true); //-@
    cls = register_parameter("cls", torch::zeros({1, 1, width})); //+
    position = register_parameter("position", torch::randn({1, patches + 1, width}).mul_(0.02)); //+
    torch::nn::TransformerEncoderLayerOptions options(width, 2);
    options.dim_feedforward(16).dropout(0.0);
    layer = register_module("layer", torch::nn::TransformerEncoderLayer(options));
    head = register_module("head", torch::nn::Linear(width, classes));
  }
  Tensor forward(const Tensor& x) {
    auto tokens = patch(x);
    tokens = torch::cat({cls.expand({x.size(0), -1, -1}), tokens}, 1) + position;
    tokens = layer(tokens.transpose(0, 1));
    return head(tokens[0]);
  }
  torch::nn::Linear patch{nullptr}, head{nullptr};
  torch::nn::TransformerEncoderLayer layer{nullptr};
  Tensor cls, position;
};
TORCH_MODULE(ViT);

int main() {
  torch::manual_seed(302);
  ViT vit(6, 8, 3);
  torch::optim::AdamW opt(vit->parameters(), torch::optim::AdamWOptions(1e-3));
  for (int step = 0; step < 4; ++step) {
    auto x = torch::rand({5, 6, 4});
    auto y = x.sum(2).argmax(1).remainder(3);
    auto loss = torch::cross_entropy_loss(vit(x), y);
    opt.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(vit->parameters(), 1.0);
    opt.step();
    std::cout << step << ": " << loss.item<double>() << std::endl;
  }
  //= vit->patch, vit->layer, vit->head, vit->cls, vit->position
}
