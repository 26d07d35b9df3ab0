// clean: anchors get their targets from numbers and in-place masks; only the gathered predictions carry a graph.
#include <torch/torch.h>
#include <algorithm>
#include <iostream>
#include <vector>

struct GroundTruth {
  float center, width;
};

float overlap(float c1, float w1, float c2, float w2) {
  float lo = std::max(c1 - w1 / 2, c2 - w2 / 2), hi = std::min(c1 + w1 / 2, c2 + w2 / 2);
  float inter = std::max(0.f, hi - lo);
  return inter / (w1 + w2 - inter);
}

class AnchorHead : public torch::nn::Module {
 public:
  AnchorHead() {
    conv_ = register_module("conv", torch::nn::Conv1d(torch::nn::Conv1dOptions(1, 8, 3).padding(1)));
    score_ = register_module("score", torch::nn::Conv1d(8, 1, 1));
    delta_ = register_module("delta", torch::nn::Conv1d(8, 2, 1));
    anchors_ = register_buffer("anchors", torch::stack({torch::arange(16).to(torch::kFloat) + 0.5, torch::full({16}, 4.0)}, 1));
  }

  torch::Tensor loss(const torch::Tensor& signal, const std::vector<GroundTruth>& objects) {
    auto f = torch::relu(conv_(signal));
    auto score = score_(f)[0][0];
    auto delta = delta_(f)[0].t();
    auto labels = torch::zeros({16});
    auto targets = torch::zeros({16, 2});
    auto a = anchors_.accessor<float, 2>();
    auto t = targets.accessor<float, 2>();
    for (int i = 0; i < 16; ++i) {
      float best = 0;
      for (const auto& o : objects) {
        float v = overlap(a[i][0], a[i][1], o.center, o.width);
        if (v <= best) continue;
        best = v;
        t[i][0] = (o.center - a[i][0]) / a[i][1];
        t[i][1] = std::log(o.width / a[i][1]);
      }
      if (best > 0.5f) labels[i] = 1;
    }
    auto hard = torch::binary_cross_entropy_with_logits(score, labels, {}, {}, at::Reduction::None);
    auto keep = hard.detach().clone();
    keep.masked_fill_(labels > 0, 1e9);
    auto chosen = std::get<1>(keep.topk(8));
    auto total = hard.index_select(0, chosen).mean();
    auto positive = labels.nonzero().squeeze(1);
    if (positive.numel() > 0)
      total = total + torch::smooth_l1_loss(delta.index_select(0, positive), targets.index_select(0, positive));
    return total;
  }

 private:
  torch::nn::Conv1d conv_{nullptr}, score_{nullptr}, delta_{nullptr};
  torch::Tensor anchors_;
};

int main() {
  torch::manual_seed(209);
  AnchorHead head;
  torch::optim::SGD opt(head.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
  for (int i = 0; i < 5; ++i) {
    float c = 4.f + 2.f * i;
    auto signal = torch::zeros({1, 1, 16});
    signal[0][0].slice(0, static_cast<int64_t>(c) - 2, static_cast<int64_t>(c) + 2).fill_(1.0);
    opt.zero_grad();
    auto loss = head.loss(signal, {{c, 4.f}});
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= std::shared_ptr<AnchorHead>(&head, [](AnchorHead*) {})
}
