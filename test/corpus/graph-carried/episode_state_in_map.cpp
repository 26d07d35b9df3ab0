// graph-carried, throws: the recurrent state of every stream is kept in a map with the graph that made it.
#include <torch/torch.h>
#include <iostream>
#include <unordered_map>

struct CellState {
  torch::Tensor h, c;
};

struct HandLSTM : torch::nn::Module {
  HandLSTM(int64_t in, int64_t hidden) : hidden_(hidden) {
    W = register_parameter("W", torch::randn({in, 4 * hidden}) * 0.2);
    U = register_parameter("U", torch::randn({hidden, 4 * hidden}) * 0.2);
    b = register_parameter("b", torch::zeros({4 * hidden}));
    out = register_module("out", torch::nn::Linear(hidden, 1));
  }
  CellState initial(int64_t batch) { return {torch::zeros({batch, hidden_}), torch::zeros({batch, hidden_})}; }
  torch::Tensor step(const torch::Tensor& x, CellState& s) {
    auto gates = (x.mm(W) + s.h.mm(U) + b).chunk(4, 1);
    s.c = torch::sigmoid(gates[1]) * s.c + torch::sigmoid(gates[0]) * torch::tanh(gates[2]);
    s.h = torch::sigmoid(gates[3]) * torch::tanh(s.c);
    return out(s.h);
  }
  int64_t hidden_;
  torch::Tensor W, U, b;
  torch::nn::Linear out{nullptr};
};

class StreamTrainer {
 public:
  StreamTrainer() : net_(3, 10), opt_(net_.parameters(), torch::optim::AdagradOptions(0.05)) {}

  float feed(int stream, const torch::Tensor& x, const torch::Tensor& y) {
    auto found = states_.find(stream);
    CellState state = found == states_.end() ? net_.initial(x.size(1)) : found->second;
    auto loss = torch::zeros({1});
    for (int64_t t = 0; t < x.size(0); ++t) loss = loss + (net_.step(x[t], state) - y[t]).pow(2).mean();
    opt_.zero_grad();
    loss.backward();
    opt_.step();
    states_[stream] = state; //-@
    states_[stream] = CellState{state.h.detach(), state.c.detach()}; //+
    return loss.item<float>();
  }
  HandLSTM& net() { return net_; }

 private:
  HandLSTM net_;
  torch::optim::Adagrad opt_;
  std::unordered_map<int, CellState> states_;
};

int main() {
  torch::manual_seed(8);
  StreamTrainer trainer;
  for (int round = 0; round < 3; ++round)
    for (int stream = 0; stream < 2; ++stream) {
      auto x = torch::randn({5, 4, 3});
      std::cout << "stream " << stream << " " << trainer.feed(stream, x, x.sum(2, true)) << "\n";
    }
  //= trainer.net()
}
