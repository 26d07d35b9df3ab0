// leaf-inplace, throws: the proxies are normalised in place by a helper that does not switch off grad mode.
#include <torch/torch.h>
#include <iostream>

void normalise_rows(torch::Tensor& t) {
  torch::NoGradGuard no_grad; //+
  t.div_(t.norm(2, /*dim=*/1, /*keepdim=*/true).clamp_min(1e-8)); //@
}

class ProxyNCA : public torch::nn::Module {
 public:
  ProxyNCA(int64_t classes, int64_t width) {
    proxies = register_parameter("proxies", torch::randn({classes, width}));
    embedder = register_module("embedder", torch::nn::Sequential(torch::nn::Linear(5, 16), torch::nn::PReLU(), torch::nn::Linear(16, width)));
  }

  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& labels) {
    auto z = embedder->forward(x);
    z = z / z.norm(2, 1, true);
    auto distance = torch::cdist(z, proxies).pow(2);
    return torch::nn::functional::cross_entropy(-distance, labels);
  }

  torch::Tensor proxies;
  torch::nn::Sequential embedder{nullptr};
};

int main() {
  torch::manual_seed(120);
  ProxyNCA net(3, 4);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(net.embedder->parameters());
  groups.emplace_back(std::vector<torch::Tensor>{net.proxies}, std::make_unique<torch::optim::AdamOptions>(1e-1));
  torch::optim::Adam optimizer(groups, torch::optim::AdamOptions(1e-3));
  for (int i = 0; i < 5; ++i) {
    auto x = torch::randn({15, 5});
    auto labels = x.slice(1, 0, 3).argmax(1);
    auto loss = net.forward(x, labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    normalise_rows(net.proxies);
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
