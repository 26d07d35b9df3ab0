// Where does the gradient go? Statistics of every parameter's gradient, and taps on activations.
#pragma once

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace torch_tidy {

/// The smallest normal float16 number, 2^-14: below it float16 loses precision bit by bit.
constexpr double fp16_smallest_normal = 6.103515625e-05;

/// What is known of one gradient. Counts are of elements; a sparse gradient's absent elements count
/// as zeros.
struct GradientStatistics {
  std::string name;
  int64_t numel = 0;          ///< elements of the tensor whose gradient this is
  bool requires_grad = false; ///< of that tensor
  bool defined = false;       ///< false: no gradient; all below is then 0
  int64_t zeros = 0;          ///< exactly zero
  int64_t non_finite = 0;     ///< inf or nan; norm and max_abs leave them out
  int64_t fp16_subnormal = 0; ///< non-zero and smaller than 2^-14 in magnitude
  double norm = 0;            ///< L2 norm
  double max_abs = 0;

  bool all_zero() const { return defined && numel > 0 && zeros == numel; }
};

/// Statistics of the gradients of all parameters of `module`, by name, in registration order.
std::vector<GradientStatistics> probe(const torch::nn::Module &module);
/// The same for the gradients of any named tensors. One transfer from each device that holds some.
std::vector<GradientStatistics>
probe(const std::vector<std::pair<std::string, at::Tensor>> &tensors);
/// Statistics of the values of the tensors themselves instead of their gradients.
std::vector<GradientStatistics>
probe_values(const std::vector<std::pair<std::string, at::Tensor>> &tensors);

/// Prints a table, one line per gradient, with a word on what is remarkable.
void print(std::ostream &out, const std::vector<GradientStatistics> &statistics);

/// Taps an activation: `torch_tidy::tap("features", f);` after it is made. Returns `tensor`,
/// changes no value, and has `tensor` retain its gradient; after backward, print_taps() or taps()
/// tell of it. Does nothing while gradient mode is off. The gradient is that of the value as it is
/// at the tap, whatever is written into it later.
const at::Tensor &tap(const std::string &name, const at::Tensor &tensor);
/// For a temporary: `auto f = torch_tidy::tap("features", conv(x));`
at::Tensor tap(const std::string &name, at::Tensor &&tensor);
/// Also prints every gradient as it arrives: what `f.retain_grad()` and, after backward, a print of
/// `f.grad().norm()` would show, in one line:
///
///   torch_tidy::tap("features", f, std::cout);   // features: grad norm 0.01532, largest 0.004, ...
const at::Tensor &tap(const std::string &name, const at::Tensor &tensor, std::ostream &out);
/// The L2 norm of the latest gradient that a tap saw; nan where none arrived (yet).
double grad_norm(const std::string &name);

/// What a tap saw.
struct Tap {
  GradientStatistics gradient; ///< of the latest backward that reached it; name is the tap's
  int64_t forwards = 0;        ///< how often the tap was passed since clear_taps()
  int64_t backwards = 0;       ///< how often a gradient arrived
};

/// All taps of this process since clear_taps(), in the order in which they were first passed. Taps
/// are thread-safe; a tap's gradient may arrive on a thread of autograd's.
std::vector<Tap> taps();
/// Prints them as a table; those that no gradient reached say so.
void print_taps(std::ostream &out);
/// Forgets them, and the gradients they hold.
void clear_taps();

} // namespace torch_tidy
