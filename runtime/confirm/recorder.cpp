#include "record.h"

#include "../amp/consumption.h"

#include <ATen/SequenceNumber.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <algorithm>
#include <limits>
#include <unordered_set>

namespace torch_tidy::detail {
namespace {

Recorder *current_recorder = nullptr;

// What backward will reach: leaf tensors, each with the sequence number of the first node that used
// it.
struct Leaf {
  torch::Tensor tensor;
  uint64_t first_use = std::numeric_limits<uint64_t>::max();
};

std::vector<Leaf> leaves_of(const torch::Tensor &loss) {
  using torch::autograd::AccumulateGrad;
  using torch::autograd::Node;
  std::vector<Leaf> leaves;
  std::unordered_map<const Node *, size_t> index;
  std::unordered_set<const Node *> seen;
  std::vector<Node *> open;
  if (loss.defined() && loss.grad_fn()) {
    open.push_back(loss.grad_fn().get());
    seen.insert(open.back());
  }
  while (!open.empty()) {
    Node *const node = open.back();
    open.pop_back();
    for (const torch::autograd::Edge &edge : node->next_edges()) {
      Node *const next = edge.function.get();
      if (next == nullptr) {
        continue;
      }
      if (auto *const accumulate = dynamic_cast<AccumulateGrad *>(next)) {
        const auto [it, inserted] = index.emplace(next, leaves.size());
        if (inserted) {
          leaves.push_back({accumulate->variable});
        }
        Leaf &leaf = leaves[it->second];
        leaf.first_use = std::min(leaf.first_use, node->sequence_nr());
      } else if (seen.insert(next).second) {
        open.push_back(next);
      }
    }
  }
  return leaves;
}

bool holds_something(const torch::Tensor &gradient) {
  return gradient.defined() && gradient.is_sparse() == false && gradient.ne(0).any().item<bool>();
}

nlohmann::json number(double value) {
  // JSON has no inf and no nan.
  if (std::isnan(value)) {
    return "nan";
  }
  if (std::isinf(value)) {
    return value > 0 ? "inf" : "-inf";
  }
  return value;
}

} // namespace

// What the scaler tells (see amp/consumption.h).
void about_to_consume(torch::optim::Optimizer &optimizer, double scale, bool skip) {
  if (Recorder *const recorder = Recorder::current()) {
    recorder->before_update(optimizer, scale, skip);
  }
}

void consumed(torch::optim::Optimizer &optimizer, bool stepped) {
  if (Recorder *const recorder = Recorder::current()) {
    recorder->after_update(optimizer, stepped);
  }
}

Recorder *Recorder::current() { return current_recorder; }

Recorder::Recorder(const RunOptions &options, torch::Device device, const Replay *replay)
    : options_(options), device_(device), replay_(replay), previous_(current_recorder) {
  current_recorder = this;
}

Recorder::~Recorder() { current_recorder = previous_; }

std::vector<std::pair<std::string, torch::Tensor>> Recorder::parameters() const {
  std::vector<std::pair<std::string, torch::Tensor>> result;
  if (module_ != nullptr) {
    for (const auto &item : module_->named_parameters()) {
      result.emplace_back(item.key(), item.value());
    }
  }
  return result;
}

void Recorder::begin_training(torch::nn::Module &module) {
  module_ = &module;
  ++training_;
}

void Recorder::begin_step(int64_t index) {
  step_index_ = index;
  in_step_ = true;
  skipped_ = false;
  consumed_in_step_ = false;
  backwards_in_round_ = 0;
  captured_.clear();
  reached_.clear();
  owned_.clear();
  step_ = {{"training", training_},
           {"index", index},
           {"losses", nlohmann::json::array()},
           {"rounds", nlohmann::json::array()},
           {"parameters", nlohmann::json::array()},
           {"leftover", nlohmann::json::array()},
           {"outdated", nlohmann::json::array()},
           {"foreign_leaves", nlohmann::json::array()},
           {"stepped", nlohmann::json::array()},
           {"strays", 0}};
  phase_ = "forward";
  if (replay_ != nullptr && replay_->before_step && training_ == 0 && index == 0) {
    replay_->before_step(*module_);
  }
}

void Recorder::before_backward(const torch::Tensor &loss, double scale) {
  phase_ = "backward";
  scale_ = scale;
  if (!in_step_) {
    return;
  }
  const torch::NoGradGuard no_grad;
  if (loss.defined() && loss.numel() == 1) {
    const auto value = loss.item<double>();
    step_["losses"].push_back(number(value));
    if (replay_ != nullptr && replay_->loss && training_ == 0 && step_index_ == 0) {
      replay_->loss(value);
    }
  }
  const auto named = parameters();
  std::unordered_map<const void *, std::string> names;
  for (const auto &[name, tensor] : named) {
    names.emplace(tensor.unsafeGetTensorImpl(), name);
    // Gradients added up over steps and consumed at their end are no leftovers of an update.
    if (backwards_in_round_ == 0 && consumed_.erase(name) != 0 && holds_something(tensor.grad())) {
      step_["leftover"].push_back(name);
    }
  }
  ++backwards_in_round_;
  std::vector<torch::Tensor> strangers;
  for (const Leaf &leaf : leaves_of(loss)) {
    const void *const key = leaf.tensor.unsafeGetTensorImpl();
    const auto name = names.find(key);
    if (name == names.end()) {
      strangers.push_back(leaf.tensor);
      // Met before, and never stepped: weights that nobody trains.
      const bool known =
          std::any_of(strangers_.begin(), strangers_.end(),
                      [&](const torch::Tensor &t) { return t.is_same(leaf.tensor); });
      if (known && updated_at_.count(key) == 0) {
        step_["strays"] = step_["strays"].get<int64_t>() + 1;
      }
      continue;
    }
    reached_.insert(name->second);
    const auto updated = updated_at_.find(key);
    if (updated != updated_at_.end() && leaf.first_use < updated->second) {
      step_["outdated"].push_back(name->second);
    }
  }
  for (const torch::Tensor &stranger : strangers) {
    if (strangers_.size() < 1000) {
      strangers_.push_back(stranger);
    }
  }
  // A leaf that is no parameter of the module, of the shape of one that backward does not reach:
  // the forward uses other weights than those registered.
  for (const auto &[name, tensor] : named) {
    if (reached_.count(name) != 0 || !tensor.requires_grad()) {
      continue;
    }
    const auto twin = std::find_if(
        strangers.begin(), strangers.end(),
        [&tensor = tensor](const torch::Tensor &t) { return t.sizes() == tensor.sizes(); });
    if (twin != strangers.end()) {
      step_["foreign_leaves"].push_back(name);
      strangers.erase(twin);
    }
  }
}

void Recorder::after_backward() {
  phase_ = "forward";
  if (replay_ != nullptr && replay_->after_backward && training_ == 0 && step_index_ == 0) {
    replay_->after_backward(*module_);
  }
}

void Recorder::before_update(torch::optim::Optimizer &optimizer, double scale, bool skip) {
  phase_ = "step";
  if (!in_step_) {
    return;
  }
  std::unordered_set<const void *> held;
  for (const auto &group : optimizer.param_groups()) {
    for (const torch::Tensor &tensor : group.params()) {
      held.insert(tensor.unsafeGetTensorImpl());
    }
  }
  std::vector<std::pair<std::string, torch::Tensor>> mine;
  for (const auto &item : parameters()) {
    if (held.erase(item.second.unsafeGetTensorImpl()) != 0) {
      mine.push_back(item);
      owned_.insert(item.first);
      consumed_.insert(item.first);
      if (!skip && item.second.grad().defined()) {
        step_["stepped"].push_back(item.first);
      }
    }
  }
  consumed_in_step_ = true;
  skipped_ = skipped_ || skip;
  const auto round = static_cast<int64_t>(step_["rounds"].size());
  capture(mine, round, scale);
  step_["rounds"].push_back({{"scale", scale},
                             {"skipped", skip},
                             {"backwards", backwards_in_round_},
                             {"foreign_tensors", held.size()}});
  backwards_in_round_ = 0;
}

void Recorder::after_update(torch::optim::Optimizer &optimizer, bool stepped) {
  phase_ = "forward";
  if (stepped) {
    for (const auto &group : optimizer.param_groups()) {
      for (const torch::Tensor &tensor : group.params()) {
        if (tensor.grad().defined()) {
          updated_at_[tensor.unsafeGetTensorImpl()] = at::sequence_number::peek();
        }
      }
    }
  }
}

void Recorder::capture(const std::vector<std::pair<std::string, torch::Tensor>> &parameters,
                       int64_t round, double scale) {
  // float16 meets the scaled gradient: that is where small ones are lost.
  std::vector<std::pair<std::string, torch::Tensor>> scaled;
  {
    const torch::NoGradGuard no_grad;
    for (const auto &[name, tensor] : parameters) {
      const torch::Tensor gradient = tensor.grad();
      scaled.emplace_back(name, gradient.defined() && scale != 1.0 ? gradient * scale : gradient);
    }
  }
  const std::vector<GradientStatistics> statistics = probe(parameters);
  const std::vector<GradientStatistics> scaled_statistics = probe_values(scaled);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto &[name, tensor] = parameters[i];
    const GradientStatistics &one = statistics[i];
    nlohmann::json entry = {{"name", name},           {"round", round},
                            {"numel", one.numel},     {"requires_grad", one.requires_grad},
                            {"defined", one.defined}, {"reached", reached_.count(name) != 0}};
    if (one.defined) {
      entry["zeros"] = one.zeros;
      entry["non_finite"] = one.non_finite;
      entry["fp16_subnormal"] = scaled_statistics[i].fp16_subnormal;
      entry["norm"] = number(one.norm);
      entry["max_abs"] = number(one.max_abs);
      entry["gradient"] = dump(tensor.grad());
    }
    step_["parameters"].push_back(std::move(entry));
    ++captured_[name];
  }
}

nlohmann::json Recorder::dump(const torch::Tensor &tensor) {
  const torch::NoGradGuard no_grad;
  torch::Tensor flat =
      (tensor.is_sparse() ? tensor.to_dense() : tensor).detach().reshape({-1}).to(torch::kCPU);
  const int64_t left = options_.max_values - static_cast<int64_t>(values_.size());
  // Once little room is left every tensor still gets a sample.
  const int64_t room = std::max<int64_t>(left / 4, 64);
  const int64_t stride = (flat.numel() + room - 1) / std::max<int64_t>(room, 1);
  if (stride > 1) {
    flat = flat.slice(0, 0, flat.numel(), stride);
  }
  flat = flat.to(torch::kDouble).contiguous();
  nlohmann::json where = {
      {"at", values_.size()}, {"count", flat.numel()}, {"stride", std::max<int64_t>(stride, 1)}};
  values_.insert(values_.end(), flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
  return where;
}

void Recorder::end_step() {
  if (!in_step_) {
    return;
  }
  in_step_ = false;
  // Parameters that no optimizer consumed through the step or a scaler: as they stand now.
  std::vector<std::pair<std::string, torch::Tensor>> rest;
  nlohmann::json unowned = nlohmann::json::array();
  for (const auto &item : parameters()) {
    if (captured_.count(item.first) == 0) {
      rest.push_back(item);
      if (consumed_in_step_ && item.second.requires_grad()) {
        unowned.push_back(item.first);
      }
    }
  }
  capture(rest, 0, scale_);
  step_["unowned"] = std::move(unowned);
  if (step_["rounds"].empty()) {
    step_["rounds"].push_back({{"scale", scale_},
                               {"skipped", false},
                               {"backwards", backwards_in_round_},
                               {"foreign_tensors", 0}});
  }
  steps_.push_back(std::move(step_));
  step_ = nullptr;
}

nlohmann::json Recorder::take(std::vector<double> &values) {
  if (in_step_) {
    // The step was cut short by an exception: what it had consumed still counts.
    in_step_ = false;
    step_["unowned"] = nlohmann::json::array();
    step_["cut_short"] = true;
    steps_.push_back(std::move(step_));
  }
  values = std::move(values_);
  return {{"trainings", training_ + 1}, {"steps", std::move(steps_)}};
}

} // namespace torch_tidy::detail
