// graph-carried, throws: the text embeddings are encoded once and cached; every step walks their graph.
#include <torch/torch.h>
#include <iostream>
#include <map>
#include <string>

class TextEncoder : public torch::nn::Module {
 public:
  TextEncoder() {
    table = register_module("table", torch::nn::Embedding(30, 8));
    project = register_module("project", torch::nn::Linear(8, 6));
  }
  torch::Tensor encode(const std::string& text) {
    auto hit = cache.find(text);
    if (hit != cache.end()) return hit->second; //-
    std::vector<int64_t> ids;
    for (char c : text) ids.push_back(c % 30);
    auto e = project(table(torch::tensor(ids)).mean(0));
    cache[text] = e; //-@
    return e;
  }

 private:
  torch::nn::Embedding table{nullptr};
  torch::nn::Linear project{nullptr};
  std::map<std::string, torch::Tensor> cache;
};

int main() {
  torch::manual_seed(305);
  TextEncoder text;
  torch::nn::Linear image(10, 6);
  std::vector<torch::Tensor> params = text.parameters();
  for (auto& p : image->parameters()) params.push_back(p);
  torch::optim::Adam opt(params, torch::optim::AdamOptions(1e-3));
  const std::vector<std::string> names = {"cat", "dog", "bird"};
  for (int step = 0; step < 5; ++step) {
    std::vector<torch::Tensor> rows;
    for (const auto& n : names) rows.push_back(text.encode(n));
    auto logits = image(torch::randn({9, 10})).mm(torch::stack(rows).t());
    auto loss = torch::nn::functional::cross_entropy(logits, torch::arange(9).remainder(3));
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << std::endl;
  }
  //= text, image
}
