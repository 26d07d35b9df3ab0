// buffer-reuse, wrong: every sample of the data set is a view of the reader's one buffer.
#include <torch/torch.h>
#include <iostream>
#include <vector>

class Reader {
 public:
  Reader() : buffer_(6) {}
  torch::Tensor next() {
    for (auto& v : buffer_) v = static_cast<float>((count_ = (count_ * 31 + 7) % 101)) / 101.f; //@
    return torch::from_blob(buffer_.data(), {6}); //-@
    return torch::from_blob(buffer_.data(), {6}).clone(); //+
  }
 private:
  std::vector<float> buffer_;
  int count_ = 1;
};

int main() {
  torch::manual_seed(0);
  Reader reader;
  std::vector<torch::Tensor> data;
  for (int i = 0; i < 5; ++i) data.push_back(reader.next());
  torch::nn::Linear net(6, 1);
  torch::optim::SGD opt(net->parameters(), 0.1);
  for (auto& d : data) {
    opt.zero_grad();
    auto loss = (net(d) - d.sum()).pow(2).mean();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
