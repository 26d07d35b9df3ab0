// Records what a training program does, for comparison with another spelling of it.
//
//   probe::parameters(list)   the tensors whose gradients and values are looked at from here on
//   probe::loss(t)            a loss was computed
//   probe::gradients(list)    backward() ran, or a step is about to use what it gave; no list: all
//   probe::values()           a step was taken
//
// One line per event: its letter, then numbers. Tensors are told by size, largest magnitude, norm
// and a projection.
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace probe {

inline FILE *&out() {
  static FILE *file = stdout;
  return file;
}

inline std::vector<at::Tensor> &watched() {
  static std::vector<at::Tensor> tensors;
  return tensors;
}

inline void put(const at::Tensor &t) {
  c10::InferenceMode guard(false);
  torch::NoGradGuard no_grad;
  if (!t.defined()) {
    fprintf(out(), " u");
    return;
  }
  auto v = t.detach().to(torch::kFloat64).flatten().contiguous();
  double largest = 0, norm = 0, projection = 0;
  for (int64_t i = 0; i < v.numel(); ++i) {
    double x = v.data_ptr<double>()[i];
    if (std::isnan(x))
      largest = x;
    largest = std::max(largest, std::fabs(x));
    norm += x * x;
    projection += x * std::sin(1.0 + 0.7 * static_cast<double>(i));
  }
  fprintf(out(), " %lld:%.17g:%.17g:%.17g", static_cast<long long>(v.numel()), largest,
          std::sqrt(norm), projection);
}

inline void parameters(const std::vector<at::Tensor> &tensors) { watched() = tensors; }

inline void loss(const at::Tensor &t) {
  fprintf(out(), "L");
  put(t);
  fprintf(out(), "\n");
  fflush(out());
}

inline void gradients(const std::vector<at::Tensor> &tensors) {
  fprintf(out(), "G");
  for (const at::Tensor &t : tensors)
    put(t.grad());
  fprintf(out(), "\n");
  fflush(out());
}

inline void gradients() { gradients(watched()); }

inline void values() {
  fprintf(out(), "V");
  for (const at::Tensor &t : watched())
    put(t);
  fprintf(out(), "\n");
  fflush(out());
}

/// Added to the seeds that programs set: other weights, other data.
inline int64_t &shift() {
  static int64_t number = 0;
  return number;
}

struct Entry {
  const char *name;
  void (*run)();
  bool doubles; ///< in fp64, so that rounding is no difference
};

} // namespace probe
