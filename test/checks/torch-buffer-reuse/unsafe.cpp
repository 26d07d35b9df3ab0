// RUN: %check %s
// Each program was run; its outcome is what was seen, `wrong` what follows from it.
#include <torch/torch.h>
#include <array>
using namespace torch;
static void fill(float *p, int n, int i) {
  for (int k = 0; k < n; ++k) p[k] = i + 0.1f * k;
}

void frames() {
  nn::Linear net(16, 1);
  optim::SGD opt(net->parameters(), 0.1);
  float frame[16];
  std::vector<Tensor> frames;
  for (int i = 0; i < 4; ++i) {
    fill(frame, 16, i);
    frames.push_back(torch::from_blob(frame, {16}));
    // CHECK-MESSAGES: :[[@LINE-1]]:22: warning: {{.*}} [definite: wrong] [torch-buffer-reuse]
    // CHECK-FIXES: frames.push_back(torch::from_blob(frame, {16}).clone());
  }
  auto loss = net(torch::stack(frames)).pow(2).mean();
  loss.backward();
  opt.step();
}

void frames_vector() {
  nn::Linear net(16, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::vector<float> frame(16);
  std::vector<Tensor> frames;
  for (int i = 0; i < 10; ++i) {
    for (size_t k = 0; k < frame.size(); ++k) frame[k] = i + k;
    auto t = torch::from_blob(frame.data(), {16}, torch::kFloat);
    // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: {{.*}} [definite: wrong] [torch-buffer-reuse]
    // CHECK-FIXES: auto t = torch::from_blob(frame.data(), {16}, torch::kFloat).clone();
    frames.push_back(t);
  }
  auto loss = net(torch::stack(frames)).pow(2).mean();
  loss.backward();
  opt.step();
}

void refill_before_backward() {
  nn::Linear net(16, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::vector<float> buf(16, 1.f);
  auto x = torch::from_blob(buf.data(), {1, 16});
  // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: wrong] [torch-buffer-reuse]
  // CHECK-FIXES: auto x = torch::from_blob(buf.data(), {1, 16}).clone();
  auto loss = net(x).pow(2).mean();
  std::fill(buf.begin(), buf.end(), 2.f);
  loss.backward();
  opt.step();
}

void accumulated() {
  nn::Linear net(16, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::vector<float> buf(16);
  auto total = torch::zeros({});
  for (int i = 0; i < 4; ++i) {
    fill(buf.data(), 16, i);
    auto x = torch::from_blob(buf.data(), {1, 16});
    // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: {{.*}} [definite: wrong] [torch-buffer-reuse]
    // CHECK-FIXES: auto x = torch::from_blob(buf.data(), {1, 16}).clone();
    total = total + net(x).pow(2).mean();
  }
  total.backward();
  opt.step();
}

static Tensor load() {
  std::vector<float> v(16, 3.f);
  return torch::from_blob(v.data(), {1, 16});
  // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: {{.*}} [definite: wrong] [torch-buffer-reuse]
  // CHECK-FIXES: return torch::from_blob(v.data(), {1, 16}).clone();
}

void local_gone() {
  nn::Linear net(16, 1);
  optim::SGD opt(net->parameters(), 0.1);
  auto loss = net(load()).pow(2).mean();
  loss.backward();
  opt.step();
}

void array_assigned() {
  nn::Linear net(4, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::array<float, 4> state{};
  std::vector<Tensor> seen;
  for (int i = 0; i < 4; ++i) {
    state = {float(i), 1.f, 2.f, 3.f};
    seen.push_back(torch::from_blob(state.data(), {4}));
    // CHECK-MESSAGES: :[[@LINE-1]]:20: warning: {{.*}} [definite: wrong] [torch-buffer-reuse]
    // CHECK-FIXES: seen.push_back(torch::from_blob(state.data(), {4}).clone());
  }
  net(torch::stack(seen)).pow(2).mean().backward();
  opt.step();
}

void array_filled_in_a_range() {
  nn::Linear net(4, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::array<float, 4> sample;
  std::vector<Tensor> seen;
  for (int i = 0; i < 4; ++i) {
    for (float &v : sample) v = i;
    seen.push_back(torch::from_blob(sample.data(), {4}));
    // CHECK-MESSAGES: :[[@LINE-1]]:20: warning: {{.*}} [definite: wrong] [torch-buffer-reuse]
    // CHECK-FIXES: seen.push_back(torch::from_blob(sample.data(), {4}).clone());
  }
  net(torch::stack(seen)).pow(2).mean().backward();
  opt.step();
}
