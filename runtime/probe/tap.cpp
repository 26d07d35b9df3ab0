#include <torch_tidy/probe.h>

#include <ATen/core/grad_mode.h>

#include <iomanip>
#include <limits>
#include <mutex>
#include <ostream>
#include <sstream>
#include <unordered_map>

namespace torch_tidy {
namespace {

struct Entry {
  std::string name;
  int64_t numel = 0;
  bool requires_grad = false;
  int64_t forwards = 0;
  int64_t backwards = 0;
  at::Tensor gradient; // the latest; measured only when somebody asks
};

struct Registry {
  std::mutex mutex;
  std::vector<Entry> entries;
  std::unordered_map<std::string, size_t> by_name;
  uint64_t generation = 0; // clear_taps() makes hooks of earlier forwards harmless
};

Registry &registry() {
  static Registry instance;
  return instance;
}

// One line, written at once: hooks run on threads of autograd's.
void print_line(std::ostream &out, const std::string &name, const at::Tensor &gradient) {
  const GradientStatistics one = probe_values({{name, gradient}}).front();
  std::ostringstream line;
  line << name << ": grad norm " << std::setprecision(4) << one.norm << ", largest " << one.max_abs;
  if (one.zeros > 0) {
    line << ", " << one.zeros << " of " << one.numel << " zero";
  }
  if (one.non_finite > 0) {
    line << ", " << one.non_finite << " inf or nan";
  }
  line << "\n";
  out << line.str() << std::flush;
}

void record_forward(const std::string &name, const at::Tensor &tensor,
                    std::ostream *out = nullptr) {
  Registry &all = registry();
  uint64_t generation = 0;
  {
    const std::lock_guard<std::mutex> lock(all.mutex);
    const auto [it, inserted] = all.by_name.emplace(name, all.entries.size());
    if (inserted) {
      all.entries.emplace_back();
      all.entries.back().name = name;
    }
    Entry &entry = all.entries[it->second];
    entry.numel = tensor.numel();
    entry.requires_grad = tensor.requires_grad();
    ++entry.forwards;
    generation = all.generation;
  }
  if (!tensor.requires_grad()) {
    return;
  }
  // The hook, not `.grad()`, is what the report reads: it sits on the node that made the value, so
  // a later in-place write into the tensor does not change whose gradient is reported, and it keeps
  // neither the tensor nor its graph alive.
  tensor.register_hook([name, generation, out](const at::Tensor &gradient) {
    Registry &all = registry();
    const std::lock_guard<std::mutex> lock(all.mutex);
    const auto it = all.by_name.find(name);
    if (all.generation != generation || it == all.by_name.end()) {
      return;
    }
    Entry &entry = all.entries[it->second];
    // A copy: autograd may add into, or hand on, the buffer it gave us.
    entry.gradient = gradient.defined() ? gradient.detach().clone() : at::Tensor();
    ++entry.backwards;
    if (out != nullptr && entry.gradient.defined()) {
      print_line(*out, name, entry.gradient);
    }
  });
  if (!tensor.is_leaf()) {
    tensor.retain_grad();
  }
}

} // namespace

const at::Tensor &tap(const std::string &name, const at::Tensor &tensor) {
  if (at::GradMode::is_enabled() && tensor.defined()) {
    record_forward(name, tensor);
  }
  return tensor;
}

const at::Tensor &tap(const std::string &name, const at::Tensor &tensor, std::ostream &out) {
  if (at::GradMode::is_enabled() && tensor.defined()) {
    record_forward(name, tensor, &out);
  }
  return tensor;
}

double grad_norm(const std::string &name) {
  at::Tensor gradient;
  {
    const std::lock_guard<std::mutex> lock(registry().mutex);
    const auto it = registry().by_name.find(name);
    if (it != registry().by_name.end()) {
      gradient = registry().entries[it->second].gradient;
    }
  }
  return gradient.defined() ? probe_values({{name, gradient}}).front().norm
                            : std::numeric_limits<double>::quiet_NaN();
}

at::Tensor tap(const std::string &name, at::Tensor &&tensor) {
  if (at::GradMode::is_enabled() && tensor.defined()) {
    record_forward(name, tensor);
  }
  return std::move(tensor);
}

std::vector<Tap> taps() {
  std::vector<Entry> entries;
  {
    const std::lock_guard<std::mutex> lock(registry().mutex);
    entries = registry().entries;
  }
  std::vector<std::pair<std::string, at::Tensor>> gradients;
  gradients.reserve(entries.size());
  for (const Entry &entry : entries) {
    gradients.emplace_back(entry.name, entry.gradient);
  }
  std::vector<GradientStatistics> statistics = probe_values(gradients);
  std::vector<Tap> result(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    result[i].gradient = std::move(statistics[i]);
    result[i].gradient.numel = entries[i].numel;
    result[i].gradient.requires_grad = entries[i].requires_grad;
    result[i].forwards = entries[i].forwards;
    result[i].backwards = entries[i].backwards;
  }
  return result;
}

void print_taps(std::ostream &out) {
  std::vector<GradientStatistics> statistics;
  for (Tap &one : taps()) {
    if (!one.gradient.requires_grad) {
      one.gradient.name += " (does not require grad: the graph was cut before it)";
      one.gradient.requires_grad = true;
    }
    statistics.push_back(std::move(one.gradient));
  }
  print(out, statistics);
}

void clear_taps() {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  registry().entries.clear();
  registry().by_name.clear();
  ++registry().generation;
}

} // namespace torch_tidy
