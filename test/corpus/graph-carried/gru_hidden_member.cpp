// graph-carried, throws: the hidden state is a member of the model and goes from one batch to the next with its graph.
#include <torch/torch.h>
#include <iostream>

struct TaggerImpl : torch::nn::Module {
  TaggerImpl() : gru(torch::nn::GRUOptions(5, 7).batch_first(true)), tag(7, 3) {
    register_module("gru", gru);
    register_module("tag", tag);
  }
  torch::Tensor forward(torch::Tensor x) {
    if (!state_.defined()) state_ = torch::zeros({1, x.size(0), 7});
    auto [out, next] = gru->forward(x, state_);
    state_ = next; //-@
    state_ = next.detach(); //+
    return tag(out);
  }
  torch::nn::GRU gru;
  torch::nn::Linear tag;
  torch::Tensor state_;
};
TORCH_MODULE(Tagger);

int main() {
  torch::manual_seed(1);
  Tagger tagger;
  torch::optim::SGD opt(tagger->parameters(), 0.1);
  for (int b = 0; b < 3; ++b) {
    auto x = torch::randn({2, 6, 5});
    auto y = torch::randint(0, 3, {12});
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(tagger(x).reshape({12, 3}), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= tagger
}
