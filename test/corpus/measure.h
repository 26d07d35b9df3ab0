// What the measured variants print of gradients and weights.
#pragma once

#include <torch/torch.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace tt_measure {

inline void one(const std::string& name, const torch::Tensor& t) {
  torch::NoGradGuard guard;
  if (!t.defined()) {
    std::printf("@@ %s none\n", name.c_str());
    return;
  }
  const torch::Tensor& g = t.grad();
  auto sum = [](const torch::Tensor& x) { return x.detach().to(torch::kDouble).abs().sum().item<double>(); };
  const char* state = !g.defined() ? "undefined" : sum(g) == 0 ? "zero" : "defined";
  std::printf("@@ %s %s %.9g %.9g\n", name.c_str(), state, g.defined() ? sum(g) : 0.0, sum(t));
}

inline void tt_observe(const torch::nn::Module& m) {
  for (const auto& p : m.named_parameters()) one(p.key(), p.value());
  for (const auto& b : m.named_buffers())
    if (b.value().defined() && b.value().is_floating_point()) one("buffer " + b.key(), b.value());
}
inline void tt_observe(const torch::Tensor& t) { one("tensor", t); }
inline void tt_observe(const std::vector<torch::Tensor>& list) {
  for (size_t i = 0; i < list.size(); ++i) one(std::to_string(i), list[i]);
}
inline void tt_observe(double number) { std::printf("@@ number defined %.9g 0\n", number); }
template <class M>
  requires std::derived_from<M, torch::nn::Module>
void tt_observe(const std::shared_ptr<M>& m) { tt_observe(static_cast<const torch::nn::Module&>(*m)); }
template <class M>
void tt_observe(const torch::nn::ModuleHolder<M>& m) { tt_observe(static_cast<const torch::nn::Module&>(*m)); }
template <class A, class B, class... Rest>
void tt_observe(const A& a, const B& b, const Rest&... rest) { tt_observe(a); tt_observe(b); (tt_observe(rest), ...); }

// What main returns is not looked at: under its other name it may end without a return.
inline int call(int (*f)()) { f(); return 0; }
inline int call(int (*f)(int, char**)) {
  static char name[] = "program";
  static char* arguments[] = {name, nullptr};
  f(1, arguments);
  return 0;
}

} // namespace tt_measure
using tt_measure::tt_observe;
