// clean: recurrent states of several streams live in a map and are cut by detach_() after each chunk.
#include <torch/torch.h>
#include <iostream>
#include <map>
#include <string>

struct StreamModel : torch::nn::Module {
  torch::nn::LSTM lstm{torch::nn::LSTMOptions(4, 8).num_layers(2).batch_first(true)};
  torch::nn::Linear out{8, 1};
  StreamModel() {
    register_module("lstm", lstm);
    register_module("out", out);
  }
};

struct Memory {
  torch::Tensor h, c;
};

class Session {
 public:
  float train_chunk(const std::string& name, const torch::Tensor& x, const torch::Tensor& y) {
    Memory& m = memory_.try_emplace(name, Memory{torch::zeros({2, x.size(0), 8}), torch::zeros({2, x.size(0), 8})}).first->second;
    auto [seq, state] = model_.lstm->forward(x, std::make_tuple(m.h, m.c));
    std::tie(m.h, m.c) = state;
    auto loss = torch::mse_loss(model_.out(seq).squeeze(-1), y);
    optimizer_.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(model_.parameters(), 1.0);
    optimizer_.step();
    m.h.detach_();
    m.c.detach_();
    return loss.item<float>();
  }
  StreamModel& model() { return model_; }

 private:
  StreamModel model_;
  torch::optim::Adam optimizer_{model_.parameters(), torch::optim::AdamOptions(1e-2)};
  std::map<std::string, Memory> memory_;
};

int main() {
  torch::manual_seed(9);
  Session session;
  for (int i = 0; i < 3; ++i)
    for (const char* name : {"left", "right"}) {
      auto x = torch::randn({3, 5, 4});
      std::cout << name << " " << session.train_chunk(name, x, x.cumsum(1).select(2, 0)) << "\n";
    }
  //= session.model()
}
