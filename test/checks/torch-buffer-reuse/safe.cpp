// RUN: %check %s
// Copies, and buffers that are filled when nobody needs the old content.
#include <torch/torch.h>
#include <array>
using namespace torch;
static void fill(float *p, int n, int i) {
  for (int k = 0; k < n; ++k) p[k] = i + 0.1f * k;
}

void clone() {
  nn::Linear net(16, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::vector<float> frame(16);
  std::vector<Tensor> frames;
  for (int i = 0; i < 10; ++i) {
    fill(frame.data(), 16, i);
    frames.push_back(torch::from_blob(frame.data(), {16}).clone());
  }
  auto loss = net(torch::stack(frames)).pow(2).mean();
  loss.backward();
  opt.step();
}

void one_input() {
  nn::Linear net(16, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::vector<float> buf(16);
  auto x = torch::from_blob(buf.data(), {1, 16});
  for (int i = 0; i < 4; ++i) {
    fill(buf.data(), 16, i);
    auto loss = net(x).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
  }
}

void made_each_step() {
  nn::Linear net(16, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::vector<float> buf(16);
  for (int i = 0; i < 4; ++i) {
    fill(buf.data(), 16, i);
    auto x = torch::from_blob(buf.data(), {1, 16});
    auto loss = net(x).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
  }
}

static Tensor load_copy() {
  std::vector<float> v(16, 3.f);
  return torch::from_blob(v.data(), {1, 16}).clone();
}

void local_copied() {
  nn::Linear net(16, 1);
  optim::SGD opt(net->parameters(), 0.1);
  auto loss = net(load_copy()).pow(2).mean();
  loss.backward();
  opt.step();
}

void local_used_inside() {
  nn::Linear net(16, 1);
  optim::SGD opt(net->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    std::vector<float> v(16, 3.f);
    auto x = torch::from_blob(v.data(), {1, 16});
    auto loss = net(x).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
  }
}

void array_assigned() {
  nn::Linear net(4, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::array<float, 4> state{};
  auto now = torch::from_blob(state.data(), {4}); // follows the array
  for (int i = 0; i < 4; ++i) {
    state = {float(i), 1.f, 2.f, 3.f};
    opt.zero_grad();
    net(now).pow(2).mean().backward();
    opt.step();
  }
}

void array_moved_on() {
  nn::Linear net(4, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::vector<float> row(4, 1.f);
  std::vector<std::vector<float>> rows;
  std::vector<Tensor> seen;
  for (int i = 0; i < 4; ++i) {
    seen.push_back(torch::from_blob(row.data(), {4}));
    rows.push_back(std::move(row)); // the memory goes with it
    row = std::vector<float>(4, float(i));
  }
  net(torch::stack(seen)).pow(2).mean().backward();
  opt.step();
}
