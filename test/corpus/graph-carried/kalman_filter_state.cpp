// graph-carried, throws: the filter's estimate and covariance, made with learned noise, go on into the next window.
#include <torch/torch.h>
#include <iostream>

struct KalmanFilter : torch::nn::Module {
  torch::Tensor log_q, log_r, transition;
  torch::Tensor mean, variance;

  KalmanFilter() {
    log_q = register_parameter("log_q", torch::zeros({1}));
    log_r = register_parameter("log_r", torch::zeros({1}));
    transition = register_parameter("transition", torch::full({1}, 0.8));
    restart();
  }

  void restart() {
    mean = torch::zeros({1});
    variance = torch::ones({1});
  }

  void update(const torch::Tensor& z) {
    auto predicted_mean = transition * mean;
    auto predicted_variance = transition.square() * variance + log_q.exp();
    auto gain = predicted_variance / (predicted_variance + log_r.exp());
    innovation_ = z - predicted_mean;
    spread_ = predicted_variance + log_r.exp();
    mean = predicted_mean + gain * innovation_; //@
    variance = (1 - gain) * predicted_variance; //@
  }

  torch::Tensor negative_log_likelihood() const { return 0.5 * (spread_.log() + innovation_.square() / spread_).sum(); }

 private:
  torch::Tensor innovation_, spread_;
};

torch::Tensor simulate(int64_t n) {
  auto z = torch::zeros({n});
  float x = 0;
  for (int64_t i = 0; i < n; ++i) {
    x = 0.95f * x + 0.1f * torch::randn({}).item<float>();
    z[i] = x + 0.3f * torch::randn({}).item<float>();
  }
  return z;
}

int main() {
  torch::manual_seed(109);
  KalmanFilter filter;
  torch::optim::Adam optimizer(filter.parameters(), 1e-2);
  auto series = simulate(60);
  const int64_t window = 20;
  for (int64_t start = 0; start < series.size(0); start += window) {
    torch::Tensor total = torch::zeros({});
    for (int64_t t = start; t < start + window; ++t) {
      filter.update(series[t]);
      total = total + filter.negative_log_likelihood();
    }
    optimizer.zero_grad();
    total.backward();
    optimizer.step();
    filter.mean = filter.mean.detach(); //+
    filter.variance = filter.variance.detach(); //+
    std::cout << "nll " << total.item<float>() / window << "\n";
  }
  //= filter
}
