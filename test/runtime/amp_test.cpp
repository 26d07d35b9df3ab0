#include <torch_tidy/amp.h>

#include <torch/torch.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

using torch_tidy::Autocast;
using torch_tidy::GradScaler;
using torch_tidy::GradScalerOptions;

namespace {

// The tests hold on any LibTorch; on a machine with a GPU they run there as well.
std::vector<torch::Device> devices() {
  std::vector<torch::Device> result = {torch::kCPU};
  if (torch::cuda::is_available()) {
    result.emplace_back(torch::kCUDA);
  }
  return result;
}

float parse(const std::string &text) {
  return text == "nan"    ? std::numeric_limits<float>::quiet_NaN()
         : text == "inf"  ? std::numeric_limits<float>::infinity()
         : text == "-inf" ? -std::numeric_limits<float>::infinity()
                          : std::stof(text);
}

std::string message_of(const std::function<void()> &function) {
  try {
    function();
  } catch (const c10::Error &error) {
    return error.what_without_backtrace();
  }
  return "";
}

struct OneParameter {
  torch::Tensor parameter = torch::zeros({2}, torch::requires_grad());
  torch::optim::SGD optimizer{std::vector<torch::Tensor>{parameter}, 1.0};
  void set_gradient(float a, float b) { parameter.mutable_grad() = torch::tensor({a, b}); }
};

} // namespace

TEST(GradScaler, does_step_by_step_what_pythons_class_was_recorded_to_do) {
  std::ifstream file(SCALER_TRACE);
  const nlohmann::json trace = nlohmann::json::parse(file);
  int operations = 0;
  int raised = 0;
  for (const torch::Device &device : devices()) {
    for (const auto &sequence : trace["sequences"]) {
      GradScalerOptions options;
      options.init_scale = sequence["settings"]["init_scale"];
      options.growth_factor = sequence["settings"]["growth_factor"];
      options.backoff_factor = sequence["settings"]["backoff_factor"];
      options.growth_interval = sequence["settings"]["growth_interval"];
      GradScaler scaler(options);
      std::vector<torch::Tensor> parameters;
      for (int i = 0; i < 4; ++i) {
        parameters.push_back(
            torch::zeros({3}, torch::TensorOptions().device(device)).requires_grad_());
      }
      torch::optim::SGD first({parameters[0], parameters[1]}, 1.0);
      torch::optim::SGD second({parameters[2], parameters[3]}, 1.0);
      torch::optim::Optimizer *const optimizers[] = {&first, &second};
      for (const auto &operation : sequence["operations"]) {
        const std::string what = operation["do"];
        if (what == "gradients") {
          for (size_t i = 0; i < 4; ++i) {
            const auto &values = operation["values"][i];
            if (values.is_null()) {
              parameters[i].mutable_grad() = torch::Tensor();
              continue;
            }
            std::vector<float> numbers;
            for (const auto &value : values) {
              numbers.push_back(parse(value));
            }
            parameters[i].mutable_grad() = (torch::tensor(numbers) * scaler.get_scale()).to(device);
          }
          continue;
        }
        bool threw = false;
        try {
          const auto optimizer = [&]() -> torch::optim::Optimizer & {
            return *optimizers[operation["optimizer"].get<int>()];
          };
          if (what == "scale") {
            scaler.scale(torch::tensor(operation["loss"].get<float>(),
                                       torch::TensorOptions().device(device)));
          } else if (what == "unscale") {
            scaler.unscale_(optimizer());
          } else if (what == "step") {
            scaler.step(optimizer());
          } else if (what == "reload") {
            scaler.load_state_dict(scaler.state_dict());
          } else if (operation.contains("new_scale")) {
            scaler.update(operation["new_scale"].get<double>());
          } else {
            ASSERT_EQ(what, "update");
            scaler.update();
          }
        } catch (const c10::Error &) {
          threw = true;
        }
        ++operations;
        raised += threw ? 1 : 0;
        ASSERT_EQ(threw, operation["raises"].get<bool>()) << operation;
        ASSERT_EQ(scaler.get_scale(), operation["scale"].get<double>()) << operation;
        ASSERT_EQ(scaler.get_growth_tracker(), operation["growth_tracker"].get<int64_t>())
            << operation;
        for (size_t i = 0; i < 4; ++i) {
          const torch::Tensor value = parameters[i].detach().cpu();
          const torch::Tensor gradient =
              parameters[i].grad().defined() ? parameters[i].grad().cpu() : torch::Tensor();
          ASSERT_EQ(gradient.defined(), !operation["gradients"][i].is_null()) << operation;
          for (int64_t k = 0; k < 3; ++k) {
            ASSERT_EQ(value[k].item<float>(),
                      operation["values"][i][static_cast<size_t>(k)].get<float>())
                << operation;
            if (gradient.defined()) {
              const float mine = gradient[k].item<float>();
              const float python = parse(operation["gradients"][i][static_cast<size_t>(k)]);
              ASSERT_TRUE(mine == python || (std::isnan(mine) && std::isnan(python)))
                  << mine << " " << python << " " << operation;
            }
          }
        }
      }
    }
  }
  EXPECT_GT(operations, 500);
  EXPECT_GT(raised, 20);
}

TEST(GradScaler, refuses_unscaling_twice_and_after_the_step) {
  OneParameter one;
  GradScaler scaler;
  scaler.scale(torch::ones({}));
  one.set_gradient(1, 2);
  scaler.unscale_(one.optimizer);
  EXPECT_NE(message_of([&] { scaler.unscale_(one.optimizer); }).find("already been called"),
            std::string::npos);
  scaler.step(one.optimizer);
  EXPECT_NE(message_of([&] { scaler.unscale_(one.optimizer); }).find("after step()"),
            std::string::npos);
  EXPECT_NE(message_of([&] { scaler.step(one.optimizer); }).find("since the last update()"),
            std::string::npos);
  scaler.update();
  EXPECT_EQ(message_of([&] { scaler.unscale_(one.optimizer); }), "");
}

TEST(GradScaler, refuses_to_work_before_anything_was_scaled) {
  OneParameter one;
  one.set_gradient(1, 2);
  GradScaler scaler;
  EXPECT_NE(message_of([&] { scaler.unscale_(one.optimizer); }).find("scaler.scale(loss)"),
            std::string::npos);
  EXPECT_NE(message_of([&] { scaler.step(one.optimizer); }).find("scaler.scale(loss)"),
            std::string::npos);
  EXPECT_NE(message_of([&] { scaler.update(); }).find("scaler.scale(loss)"), std::string::npos);
}

TEST(GradScaler, refuses_float16_gradients_and_closures) {
  torch::Tensor parameter = torch::zeros({2}, torch::kHalf).requires_grad_();
  torch::optim::SGD optimizer({parameter}, 1.0);
  parameter.mutable_grad() = torch::ones({2}, torch::kHalf);
  GradScaler scaler;
  scaler.scale(torch::ones({}));
  EXPECT_NE(message_of([&] { scaler.unscale_(optimizer); }).find("FP16 gradients"),
            std::string::npos);
  OneParameter one;
  one.set_gradient(1, 1);
  EXPECT_NE(message_of([&] {
              scaler.step(one.optimizer, [] { return torch::zeros({}); });
            }).find("Closure"),
            std::string::npos);
}

TEST(GradScaler, refuses_factors_that_do_not_grow_or_back_off) {
  GradScalerOptions options;
  options.growth_factor = 1.0;
  EXPECT_THROW(GradScaler{options}, c10::Error);
  options.growth_factor = 2.0;
  options.backoff_factor = 1.0;
  EXPECT_THROW(GradScaler{options}, c10::Error);
  options.enabled = false;
  EXPECT_NO_THROW(GradScaler{options});
}

TEST(GradScaler, disabled_passes_everything_through) {
  GradScalerOptions options;
  options.enabled = false;
  GradScaler scaler(options);
  OneParameter one;
  const torch::Tensor loss = torch::ones({});
  EXPECT_TRUE(scaler.scale(loss).is_same(loss));
  one.set_gradient(std::numeric_limits<float>::infinity(), 1);
  EXPECT_TRUE(scaler.step(one.optimizer));
  scaler.update();
  EXPECT_FALSE(std::isfinite(one.parameter[0].item<float>()));
  EXPECT_EQ(scaler.get_scale(), 1.0);
  EXPECT_TRUE(scaler.state_dict().empty());
}

TEST(GradScaler, skips_the_step_when_a_gradient_is_not_finite_and_says_so) {
  OneParameter one;
  GradScaler scaler;
  scaler.scale(torch::ones({}));
  one.set_gradient(std::numeric_limits<float>::quiet_NaN(), 1);
  EXPECT_FALSE(scaler.step(one.optimizer));
  EXPECT_EQ(one.parameter[1].item<float>(), 0.0F);
  scaler.update();
  EXPECT_EQ(scaler.get_scale(), 32768.0);
}

TEST(GradScaler, scales_each_tensor_of_a_list) {
  GradScalerOptions options;
  options.init_scale = 4;
  GradScaler scaler(options);
  const auto scaled =
      scaler.scale(std::vector<torch::Tensor>{torch::full({2}, 1.5), torch::full({}, -2.0)});
  ASSERT_EQ(scaled.size(), 2U);
  EXPECT_EQ(scaled[0][1].item<float>(), 6.0F);
  EXPECT_EQ(scaled[1].item<float>(), -8.0F);
}

TEST(GradScaler, unscales_sparse_gradients) {
  OneParameter one;
  GradScalerOptions options;
  options.init_scale = 2;
  GradScaler scaler(options);
  scaler.scale(torch::ones({}));
  one.parameter.mutable_grad() =
      torch::sparse_coo_tensor(torch::tensor({{1, 1}}), torch::tensor({2.0F, 4.0F}), {2});
  scaler.unscale_(one.optimizer);
  EXPECT_EQ(one.parameter.grad().to_dense()[1].item<float>(), 3.0F);
}

TEST(GradScaler, loads_a_state_as_a_whole_or_not_at_all) {
  GradScaler from;
  from.scale(torch::ones({}));
  from.update(8.0);
  auto state = from.state_dict();
  GradScaler to;
  to.load_state_dict(state);
  EXPECT_EQ(to.get_scale(), 8.0);
  state["scale"] = 3.0;
  state.erase("_growth_tracker");
  EXPECT_THROW(to.load_state_dict(state), c10::Error);
  EXPECT_EQ(to.get_scale(), 8.0);
  EXPECT_THROW(to.load_state_dict({}), c10::Error);
}

TEST(Autocast, casts_inside_and_restores_outside) {
  torch::nn::Linear layer(4, 4);
  const torch::Tensor x = torch::randn({2, 4});
  {
    const Autocast outer(torch::kCPU, torch::kBFloat16);
    EXPECT_EQ(layer(x).scalar_type(), torch::kBFloat16);
    {
      const Autocast inner(torch::kCPU, std::nullopt, /*enabled=*/false);
      EXPECT_EQ(layer(x).scalar_type(), torch::kFloat);
    }
    EXPECT_EQ(layer(x).scalar_type(), torch::kBFloat16);
  }
  EXPECT_EQ(layer(x).scalar_type(), torch::kFloat);
}

TEST(Autocast, restores_when_an_exception_leaves_the_scope) {
  torch::nn::Linear layer(4, 4);
  try {
    const Autocast autocast(torch::kCPU, torch::kBFloat16);
    throw std::runtime_error("out");
  } catch (const std::runtime_error &) {
  }
  EXPECT_EQ(layer(torch::randn({2, 4})).scalar_type(), torch::kFloat);
}

TEST(Autocast, casts_the_weights_anew_after_the_outermost_guard_ended) {
  torch::nn::Linear layer(4, 4);
  const torch::Tensor x = torch::ones({2, 4});
  const auto forward = [&] { return layer(x).sum().item<float>(); };
  float before = 0;
  {
    const Autocast outer(torch::kCPU, torch::kBFloat16);
    const Autocast inner(torch::kCPU, torch::kBFloat16);
    before = forward();
  }
  // As C++ SGD writes, without a version bump.
  layer->weight.data().add_(1);
  const Autocast next(torch::kCPU, torch::kBFloat16);
  EXPECT_GT(forward(), before + 8);
}

TEST(Autocast, without_cache_uses_the_weights_as_they_are) {
  torch::nn::Linear layer(4, 4);
  const torch::Tensor x = torch::ones({2, 4});
  const Autocast autocast(torch::kCPU, torch::kBFloat16, true, /*cache_enabled=*/false);
  const float before = layer(x).sum().item<float>();
  {
    const torch::NoGradGuard no_grad;
    layer->weight.add_(1);
  }
  EXPECT_NE(layer(x).sum().item<float>(), before);
}

TEST(Autocast, refuses_what_this_libtorch_cannot_do) {
  EXPECT_THROW((Autocast{torch::kCPU, torch::kFloat}), c10::Error);
  EXPECT_THROW(Autocast{c10::DeviceType::XLA}, c10::Error);
  EXPECT_TRUE(Autocast::is_available(torch::kCPU, torch::kBFloat16));
  if (!Autocast::is_available(torch::kCPU, torch::kHalf)) {
    EXPECT_THROW((Autocast{torch::kCPU, torch::kHalf}), c10::Error);
  }
}

TEST(Autocast, with_the_scaler_saves_gradients_that_float16_alone_loses) {
  if (!Autocast::is_available(torch::kCPU, torch::kHalf)) {
    GTEST_SKIP() << "this LibTorch has no float16 autocast on the CPU";
  }
  torch::manual_seed(0);
  torch::nn::Linear first(8, 16);
  torch::nn::Linear second(16, 1);
  const torch::Tensor x = torch::randn({16, 8});
  const auto gradient = [&](bool autocast, GradScaler *scaler) {
    first->zero_grad();
    second->zero_grad();
    torch::Tensor loss;
    {
      const Autocast guard(torch::kCPU, torch::kHalf, autocast);
      loss = (second(torch::tanh(first(x))).to(torch::kFloat) * 1e-7).sum();
    }
    (scaler != nullptr ? scaler->scale(loss) : loss).backward();
    torch::Tensor result = first->weight.grad().clone();
    return scaler != nullptr ? result / scaler->get_scale() : result;
  };
  const torch::Tensor exact = gradient(false, nullptr);
  EXPECT_EQ(gradient(true, nullptr).abs().max().item<float>(), 0.0F);
  GradScaler scaler;
  const torch::Tensor saved = gradient(true, &scaler);
  EXPECT_LT((saved - exact).norm().item<float>(), 0.02F * exact.norm().item<float>());
}
