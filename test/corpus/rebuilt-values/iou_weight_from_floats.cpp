// rebuilt-values, undefined: the overlap of boxes is computed on floats, so the box branch gets no gradient.
#include <torch/torch.h>
#include <algorithm>
#include <iostream>
#include <vector>

struct Box {
  float x1, y1, x2, y2;
  float area() const { return std::max(0.f, x2 - x1) * std::max(0.f, y2 - y1); }
};

float iou(const Box& a, const Box& b) {
  Box i{std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2), std::min(a.y2, b.y2)};
  float inter = i.area();
  return inter / (a.area() + b.area() - inter + 1e-6f);
}

Box decode(const torch::Tensor& t) {
  auto v = torch::sigmoid(t);
  float cx = v[0].item<float>(), cy = v[1].item<float>(), w = v[2].item<float>(), h = v[3].item<float>(); //@
  return {cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2};
}

struct Detector : torch::nn::Module {
  torch::nn::Sequential stem{torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3).stride(2)), torch::nn::ReLU(), torch::nn::AdaptiveAvgPool2d(2), torch::nn::Flatten()};
  torch::nn::Linear box{16, 4}, score{16, 1};
  Detector() {
    register_module("stem", stem);
    register_module("box", box);
    register_module("score", score);
  }
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& x) {
    auto f = stem->forward(x);
    return {box(f), score(f).squeeze(1)};
  }
};

torch::Tensor box_loss(const torch::Tensor& predicted, const std::vector<Box>& truth) {
  std::vector<float> losses; //-
  for (size_t i = 0; i < truth.size(); ++i) losses.push_back(1.f - iou(decode(predicted[i]), truth[i])); //-
  return torch::tensor(losses).mean(); //-@
  auto v = torch::sigmoid(predicted); //+
  auto wanted = torch::empty_like(v); //+
  for (int64_t i = 0; i < v.size(0); ++i) wanted[i] = torch::tensor({(truth[i].x1 + truth[i].x2) / 2, (truth[i].y1 + truth[i].y2) / 2, truth[i].x2 - truth[i].x1, truth[i].y2 - truth[i].y1}); //+
  return torch::smooth_l1_loss(v, wanted); //+
}

int main() {
  torch::manual_seed(29);
  Detector net;
  torch::optim::SGD opt(net.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
  for (int i = 0; i < 5; ++i) {
    auto images = torch::rand({3, 1, 16, 16});
    std::vector<Box> truth = {{0.1f, 0.1f, 0.5f, 0.6f}, {0.3f, 0.2f, 0.9f, 0.8f}, {0.0f, 0.4f, 0.4f, 1.0f}};
    auto [boxes, scores] = net.forward(images);
    auto loss = torch::binary_cross_entropy_with_logits(scores, torch::ones({3})) + box_loss(boxes, truth);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << std::endl;
  }
  //= net
}
