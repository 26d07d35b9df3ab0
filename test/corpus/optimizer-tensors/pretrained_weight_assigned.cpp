// optimizer-tensors, undefined|stale: pretrained values are assigned to a layer's weight member, the registered weight is no longer used.
#include <torch/torch.h>
#include <fstream>
#include <iostream>
#include <vector>

struct ModelImpl : torch::nn::Module {
  ModelImpl() {
    conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 3, 3).padding(1)));
    fc = register_module("fc", torch::nn::Linear(3 * 8 * 8, 5));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(conv(x));
    return fc(x.flatten(1));
  }
  torch::nn::Conv2d conv{nullptr};
  torch::nn::Linear fc{nullptr};
};
TORCH_MODULE(Model);

std::vector<float> read_filters(const std::string& path, size_t count) {
  std::vector<float> values(count);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(values.data()), count * sizeof(float)))
    for (size_t i = 0; i < count; ++i) values[i] = 0.05f * static_cast<float>(i % 9) - 0.2f;
  return values;
}

void load_filters(Model& model, const std::string& path) {
  auto values = read_filters(path, 27);
  auto loaded = torch::from_blob(values.data(), {3, 1, 3, 3}).clone();
  model->conv->weight = loaded; //-@
  torch::NoGradGuard no_grad; //+
  model->conv->weight.copy_(loaded); //+
}

int main() {
  torch::manual_seed(102);
  Model model;
  load_filters(model, "filters.bin");
  torch::optim::SGD sgd(model->parameters(), torch::optim::SGDOptions(0.01).weight_decay(1e-4)); //@
  torch::nn::CrossEntropyLoss criterion;
  for (int i = 0; i < 5; ++i) {
    auto images = torch::rand({6, 1, 8, 8});
    auto labels = (images.flatten(1).mean(1) * 50).to(torch::kLong).remainder(5);
    auto loss = criterion(model(images), labels);
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    std::cout << loss.item<float>() << std::endl;
  }
  //= model
}
