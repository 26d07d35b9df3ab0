// two-backwards, throws: every loss of the list is walked by itself, though they share the encoder's graph.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct VaeImpl : torch::nn::Module {
  VaeImpl() : enc(12, 20), mu(20, 4), logvar(20, 4), dec(4, 12) {
    register_module("enc", enc);
    register_module("mu", mu);
    register_module("logvar", logvar);
    register_module("dec", dec);
  }
  struct Output { torch::Tensor x, mu, logvar; };
  Output forward(const torch::Tensor& in) {
    auto h = torch::relu(enc(in));
    auto m = mu(h), v = logvar(h);
    auto z = m + torch::randn_like(m) * torch::exp(0.5 * v);
    return {torch::sigmoid(dec(z)), m, v};
  }
  torch::nn::Linear enc, mu, logvar, dec;
};
TORCH_MODULE(Vae);

std::vector<torch::Tensor> elbo_terms(const VaeImpl::Output& o, const torch::Tensor& x) {
  std::vector<torch::Tensor> terms;
  terms.emplace_back(torch::binary_cross_entropy(o.x, x, {}, at::Reduction::Sum));
  terms.emplace_back(-0.5 * torch::sum(1 + o.logvar - o.mu.pow(2) - o.logvar.exp()));
  return terms;
}

int main() {
  torch::manual_seed(19);
  Vae vae;
  torch::optim::Adam opt(vae->parameters(), 1e-3);
  auto data = torch::rand({16, 12});
  for (int e = 0; e < 3; ++e) {
    opt.zero_grad();
    auto terms = elbo_terms(vae->forward(data), data);
    double sum = 0;
    torch::Tensor total = torch::zeros({}); //+
    for (auto& term : terms) {
      term.backward(); //-@
      total = total + term; //+
      sum += term.item<double>();
    }
    total.backward(); //+
    opt.step();
    std::cout << sum / data.size(0) << '\n';
  }
  //= vae
}
