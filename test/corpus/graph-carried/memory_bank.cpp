// graph-carried, throws: features enter a memory bank with their graph.
#include <torch/torch.h>
#include <iostream>
#include <list>

class Bank {
 public:
  explicit Bank(size_t n) : n_(n) {}
  void push(const torch::Tensor& f) {
    items_.push_back(f); //-@
    items_.push_back(f.detach()); //+
    if (items_.size() > n_) items_.pop_front();
  }
  torch::Tensor all() const {
    std::vector<torch::Tensor> v;
    for (const auto& i : items_) v.push_back(i);
    return torch::cat(v);
  }
  bool empty() const { return items_.empty(); }
 private:
  size_t n_;
  std::list<torch::Tensor> items_;
};

int main() {
  torch::manual_seed(0);
  torch::nn::Linear enc(10, 4);
  torch::optim::SGD opt(enc->parameters(), 0.05);
  Bank bank(4);
  for (int i = 0; i < 4; ++i) {
    auto z = torch::nn::functional::normalize(enc(torch::randn({6, 10})));
    auto loss = -z.mean();
    if (!bank.empty()) loss = loss + z.mm(bank.all().t()).exp().mean();
    bank.push(z);
    opt.zero_grad();
    loss.backward(); //@
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= enc
}
