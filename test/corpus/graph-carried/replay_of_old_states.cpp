// graph-carried, throws: the replay buffer stores the latent states of the world model with their graphs.
#include <torch/torch.h>
#include <deque>
#include <iostream>

struct WorldModel : torch::nn::Module {
  torch::nn::GRUCell cell{4, 8};
  torch::nn::Linear decode{8, 4};
  WorldModel() {
    register_module("cell", cell);
    register_module("decode", decode);
  }
};

struct Sample {
  torch::Tensor latent, observation;
};

class Replay {
 public:
  explicit Replay(size_t capacity) : capacity_(capacity) {}
  void add(Sample s) {
    if (items_.size() == capacity_) items_.pop_front();
    items_.push_back(std::move(s)); //@
  }
  const Sample& oldest() const { return items_.front(); }
  bool empty() const { return items_.empty(); }

 private:
  size_t capacity_;
  std::deque<Sample> items_;
};

int main() {
  torch::manual_seed(306);
  WorldModel model;
  Replay replay(3);
  torch::optim::RMSprop opt(model.parameters(), 1e-3);
  auto h = torch::zeros({2, 8});
  for (int t = 0; t < 6; ++t) {
    auto obs = torch::randn({2, 4});
    auto next = model.cell(obs, h.detach());
    auto loss = torch::mse_loss(model.decode(next), obs);
    if (!replay.empty()) {
      const auto& old = replay.oldest();
      loss = loss + 0.5 * torch::mse_loss(model.decode(old.latent), old.observation);
    }
    opt.zero_grad();
    loss.backward();
    opt.step();
    replay.add({next, obs}); //-@
    replay.add({next.detach(), obs}); //+
    h = next;
    std::cout << t << " " << loss.item<float>() << "\n";
  }
  //= model
}
