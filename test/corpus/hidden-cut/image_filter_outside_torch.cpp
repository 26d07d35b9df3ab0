// hidden-cut, undefined: the image goes through a filter on plain memory and comes back as a leaf that requires grad.
#include <torch/torch.h>
#include <cstring>
#include <iostream>
#include <vector>

struct Image {
  int width, height;
  std::vector<float> pixels;
};

Image box_blur(const Image& in) {
  Image out = in;
  for (int y = 1; y + 1 < in.height; ++y)
    for (int x = 1; x + 1 < in.width; ++x) {
      float sum = 0;
      for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx) sum += in.pixels[(y + dy) * in.width + x + dx];
      out.pixels[y * in.width + x] = sum / 9;
    }
  return out;
}

torch::Tensor blurred(const torch::Tensor& t) {
  Image image{static_cast<int>(t.size(1)), static_cast<int>(t.size(0)), std::vector<float>(t.numel())}; //-
  std::memcpy(image.pixels.data(), t.contiguous().data_ptr<float>(), t.numel() * sizeof(float)); //-@
  auto out = box_blur(image); //-
  return torch::tensor(out.pixels).view({out.height, out.width}).requires_grad_(true); //-@
  return torch::avg_pool2d(t.view({1, 1, t.size(0), t.size(1)}), 3, 1, 1).view({t.size(0), t.size(1)}); //+
}

struct Generator : torch::nn::Module {
  torch::nn::Linear fc1{4, 32}, fc2{32, 64};
  Generator() {
    register_module("fc1", fc1);
    register_module("fc2", fc2);
  }
  torch::Tensor forward(const torch::Tensor& z) { return torch::sigmoid(fc2(torch::leaky_relu(fc1(z), 0.2))).view({8, 8}); }
};

int main() {
  torch::manual_seed(43);
  Generator g;
  torch::optim::Adam opt(g.parameters(), 1e-2);
  auto wanted = torch::zeros({8, 8});
  wanted.slice(0, 2, 6).slice(1, 2, 6).fill_(1);
  for (int i = 0; i < 10; ++i) {
    auto image = blurred(g.forward(torch::ones({4})));
    auto loss = (image - wanted).abs().mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    if (i % 3 == 0) std::cout << "loss " << loss.item<float>() << "\n";
  }
  //= g
}
