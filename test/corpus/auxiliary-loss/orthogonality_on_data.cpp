// auxiliary-loss, wrong: the orthogonality regulariser is computed from data() and has no gradient.
#include <torch/torch.h>
#include <iostream>

class AutoEncoder : public torch::nn::Module {
 public:
  explicit AutoEncoder(int64_t width, int64_t code)
      : encoder_(register_module("encoder", torch::nn::Linear(torch::nn::LinearOptions(width, code).bias(false)))),
        decoder_(register_module("decoder", torch::nn::Linear(torch::nn::LinearOptions(code, width).bias(false)))) {}

  torch::Tensor forward(const torch::Tensor& x) { return decoder_->forward(encoder_->forward(x)); }

  torch::Tensor regulariser() const {
    torch::Tensor penalty = torch::zeros({1});
    for (const auto& item : named_parameters()) {
      auto w = item.value().data(); //-@
      auto w = item.value(); //+
      auto gram = w.size(0) < w.size(1) ? w.matmul(w.t()) : w.t().matmul(w);
      penalty += (gram - torch::eye(gram.size(0))).pow(2).sum();
    }
    return penalty;
  }

 private:
  torch::nn::Linear encoder_, decoder_;
};

struct Settings {
  int epochs = 5;
  double lambda = 0.5, lr = 1e-2;
};

void fit(AutoEncoder& model, const torch::Tensor& data, const Settings& s) {
  torch::optim::Adam optimizer(model.parameters(), torch::optim::AdamOptions(s.lr).amsgrad(true));
  for (int epoch = 0; epoch < s.epochs; ++epoch) {
    optimizer.zero_grad();
    auto reconstruction = torch::mse_loss(model.forward(data), data);
    auto penalty = model.regulariser();
    auto loss = reconstruction + s.lambda * penalty.squeeze();
    loss.backward();
    optimizer.step();
    std::cout << "epoch " << epoch << " rec " << reconstruction.item<float>() << " orth " << penalty.item<float>() << "\n";
  }
}

int main() {
  torch::manual_seed(17);
  AutoEncoder model(8, 3);
  fit(model, torch::randn({40, 8}), Settings());
  //= model
}
