#include <torch_tidy/probe.h>

#include <c10/util/Exception.h>

#include <iomanip>
#include <map>
#include <ostream>
#include <sstream>

namespace torch_tidy {
namespace {

constexpr int64_t fields = 5; // zeros, non-finite, fp16-subnormal, norm, largest

// One row of `fields` doubles on the tensor's device; nothing waits for the device here.
at::Tensor measure(const at::Tensor &tensor) {
  at::Tensor values = tensor;
  if (values.is_sparse()) {
    values = values.coalesce()._values();
  }
  if (values.numel() == 0) {
    return at::zeros({fields}, at::TensorOptions().dtype(at::kDouble).device(values.device()));
  }
  at::Tensor magnitude = values.abs();
  // float16 would overflow in the norm and bfloat16 round the counts' bound.
  if (magnitude.scalar_type() != at::kDouble) {
    magnitude = magnitude.to(at::kFloat);
  }
  const at::Tensor finite = at::isfinite(magnitude);
  const at::Tensor known = magnitude.masked_fill(finite.logical_not(), 0);
  const at::Tensor subnormal = known.lt(fp16_smallest_normal).logical_and_(known.gt(0));
  return at::stack({magnitude.eq(0).sum().to(at::kDouble),
                    finite.logical_not().sum().to(at::kDouble), subnormal.sum().to(at::kDouble),
                    known.to(at::kDouble).norm(),
                    known.max().to(at::kDouble)});
}

std::vector<GradientStatistics>
statistics_of(const std::vector<std::pair<std::string, at::Tensor>> &tensors, bool gradients) {
  at::NoGradGuard no_grad;
  std::vector<GradientStatistics> result(tensors.size());
  std::map<std::string, std::vector<std::pair<size_t, at::Tensor>>> rows; // by device
  for (size_t i = 0; i < tensors.size(); ++i) {
    const at::Tensor &tensor = tensors[i].second;
    GradientStatistics &one = result[i];
    one.name = tensors[i].first;
    if (!tensor.defined()) {
      continue;
    }
    one.numel = tensor.numel();
    one.requires_grad = tensor.requires_grad();
    const at::Tensor values = gradients ? tensor.grad() : tensor;
    one.defined = values.defined();
    if (one.defined) {
      rows[values.device().str()].emplace_back(i, measure(values.detach()));
      if (values.is_sparse()) {
        one.zeros = values.numel() - values.coalesce()._values().numel();
      }
    }
  }
  for (const auto &[device, list] : rows) {
    std::vector<at::Tensor> columns;
    columns.reserve(list.size());
    for (const auto &[index, row] : list) {
      columns.push_back(row);
    }
    const at::Tensor all = at::stack(columns).cpu(); // the one wait
    const auto value = all.accessor<double, 2>();
    for (size_t r = 0; r < list.size(); ++r) {
      GradientStatistics &one = result[list[r].first];
      const auto row = static_cast<int64_t>(r);
      one.zeros += static_cast<int64_t>(value[row][0]);
      one.non_finite = static_cast<int64_t>(value[row][1]);
      one.fp16_subnormal = static_cast<int64_t>(value[row][2]);
      one.norm = value[row][3];
      one.max_abs = value[row][4];
    }
  }
  return result;
}

std::string remark(const GradientStatistics &one) {
  if (!one.requires_grad) {
    return one.defined ? "frozen, yet has a gradient" : "frozen";
  }
  if (!one.defined) {
    return "NO GRADIENT";
  }
  if (one.non_finite > 0) {
    return "NOT FINITE";
  }
  if (one.all_zero()) {
    return "ALL ZERO";
  }
  if (one.fp16_subnormal > 0 && one.zeros + one.fp16_subnormal == one.numel) {
    return "all below float16's normal range";
  }
  return "";
}

} // namespace

std::vector<GradientStatistics>
probe(const std::vector<std::pair<std::string, at::Tensor>> &tensors) {
  return statistics_of(tensors, /*gradients=*/true);
}

std::vector<GradientStatistics>
probe_values(const std::vector<std::pair<std::string, at::Tensor>> &tensors) {
  return statistics_of(tensors, /*gradients=*/false);
}

std::vector<GradientStatistics> probe(const torch::nn::Module &module) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto &item : module.named_parameters()) {
    tensors.emplace_back(item.key(), item.value());
  }
  return probe(tensors);
}

void print(std::ostream &out, const std::vector<GradientStatistics> &statistics) {
  size_t width = 9;
  for (const GradientStatistics &one : statistics) {
    width = std::max(width, one.name.size());
  }
  std::ostringstream text; // so that the caller's stream keeps its flags
  text << std::left << std::setw(static_cast<int>(width)) << "gradient" << std::right
       << std::setw(11) << "numel" << std::setw(13) << "norm" << std::setw(13) << "largest"
       << std::setw(10) << "zeros" << std::setw(10) << "subnorm." << std::setw(10) << "inf/nan"
       << "\n";
  for (const GradientStatistics &one : statistics) {
    text << std::left << std::setw(static_cast<int>(width)) << one.name << std::right
         << std::setw(11) << one.numel;
    if (one.defined) {
      text << std::setw(13) << std::setprecision(4) << one.norm << std::setw(13) << one.max_abs
           << std::setw(10) << one.zeros << std::setw(10) << one.fp16_subnormal << std::setw(10)
           << one.non_finite;
    } else {
      for (const int column : {13, 13, 10, 10, 10}) {
        text << std::setw(column) << "-";
      }
    }
    const std::string word = remark(one);
    text << (word.empty() ? "" : "  ") << word << "\n";
  }
  out << text.str();
}

} // namespace torch_tidy
