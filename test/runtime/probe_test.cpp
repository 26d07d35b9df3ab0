#include <torch_tidy/probe.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

using torch_tidy::GradientStatistics;

TEST(Probe, tells_each_kind_of_element_apart) {
  torch::Tensor p = torch::zeros({7}, torch::requires_grad());
  const float inf = std::numeric_limits<float>::infinity();
  p.mutable_grad() =
      torch::tensor({0.0F, 3.0F, -4.0F, inf, std::nanf(""), 1e-5F, -6.103515625e-05F});
  const GradientStatistics one = torch_tidy::probe({{"p", p}}).at(0);
  EXPECT_EQ(one.name, "p");
  EXPECT_TRUE(one.requires_grad);
  EXPECT_TRUE(one.defined);
  EXPECT_EQ(one.numel, 7);
  EXPECT_EQ(one.zeros, 1);
  EXPECT_EQ(one.non_finite, 2);
  EXPECT_EQ(one.fp16_subnormal, 1); // 2^-14 itself is normal
  EXPECT_NEAR(one.norm, 5.0, 1e-6);
  EXPECT_FLOAT_EQ(one.max_abs, 4.0);
  EXPECT_FALSE(one.all_zero());
}

TEST(Probe, follows_the_modules_names_and_says_what_has_no_gradient) {
  torch::nn::Sequential net(torch::nn::Linear(3, 4), torch::nn::ReLU(), torch::nn::Linear(4, 1));
  net->ptr(2)->as<torch::nn::Linear>()->bias.set_requires_grad(false);
  net->forward(torch::ones({2, 3})).sum().backward();
  const auto all = torch_tidy::probe(*net);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].name, "0.weight");
  EXPECT_TRUE(all[0].defined);
  EXPECT_EQ(all[3].name, "2.bias");
  EXPECT_FALSE(all[3].requires_grad);
  EXPECT_FALSE(all[3].defined);
  EXPECT_EQ(all[3].numel, 1);
}

TEST(Probe, measures_half_precision_and_large_norms_without_overflow) {
  torch::Tensor p = torch::zeros({4}, torch::kHalf).requires_grad_();
  p.mutable_grad() = torch::full({4}, 60000.0, torch::kHalf);
  const auto one = torch_tidy::probe({{"p", p}}).at(0);
  EXPECT_EQ(one.non_finite, 0);
  EXPECT_NEAR(one.norm, 120000.0, 100.0);
}

TEST(Probe, counts_the_absent_elements_of_sparse_gradients_as_zeros) {
  torch::nn::Embedding embedding(torch::nn::EmbeddingOptions(10, 4).sparse(true));
  embedding(torch::tensor({3, 3})).sum().backward();
  const auto one = torch_tidy::probe(*embedding).at(0);
  EXPECT_EQ(one.numel, 40);
  EXPECT_EQ(one.zeros, 36);
  EXPECT_FLOAT_EQ(one.max_abs, 2.0);
}

TEST(Probe, takes_empty_and_undefined_tensors) {
  torch::Tensor empty = torch::zeros({0}, torch::requires_grad());
  empty.mutable_grad() = torch::zeros({0});
  const auto all = torch_tidy::probe({{"empty", empty}, {"undefined", torch::Tensor()}});
  EXPECT_TRUE(all[0].defined);
  EXPECT_EQ(all[0].numel, 0);
  EXPECT_FALSE(all[0].all_zero());
  EXPECT_FALSE(all[1].defined);
}

TEST(Probe, prints_a_line_per_gradient_with_what_is_remarkable) {
  torch::Tensor reached = torch::zeros({2}, torch::requires_grad());
  reached.mutable_grad() = torch::ones({2});
  torch::Tensor zero = torch::zeros({2}, torch::requires_grad());
  zero.mutable_grad() = torch::zeros({2});
  const torch::Tensor lost = torch::zeros({2}, torch::requires_grad());
  std::ostringstream out;
  torch_tidy::print(out, torch_tidy::probe({{"reached", reached}, {"zero", zero}, {"lost", lost}}));
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
  EXPECT_NE(text.find("NO GRADIENT"), std::string::npos);
  EXPECT_NE(text.find("ALL ZERO"), std::string::npos);
}

class TapTest : public ::testing::Test {
protected:
  void SetUp() override { torch_tidy::clear_taps(); }
};

TEST_F(TapTest, returns_the_tensor_and_reports_its_gradient_after_backward) {
  const torch::Tensor x = torch::ones({3}, torch::requires_grad());
  const torch::Tensor f = x * 2;
  EXPECT_TRUE(torch_tidy::tap("features", f).is_same(f));
  (f * torch::tensor({3.0F, 0.0F, 4.0F})).sum().backward();
  const auto all = torch_tidy::taps();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].gradient.name, "features");
  EXPECT_NEAR(all[0].gradient.norm, 5.0, 1e-6);
  EXPECT_EQ(all[0].gradient.zeros, 1);
  EXPECT_EQ(all[0].forwards, 1);
  EXPECT_EQ(all[0].backwards, 1);
  EXPECT_NEAR(f.grad().norm().item<float>(), 5.0F, 1e-6F); // retained
  EXPECT_TRUE(x.grad().equal(torch::tensor({6.0F, 0.0F, 8.0F})));
}

TEST_F(TapTest, says_that_nothing_arrived_where_the_graph_was_cut_behind_it) {
  const torch::Tensor x = torch::ones({3}, torch::requires_grad());
  const torch::Tensor f = torch_tidy::tap("features", x * 2);
  (f.detach() * x).sum().backward();
  EXPECT_EQ(torch_tidy::taps().at(0).backwards, 0);
  EXPECT_FALSE(torch_tidy::taps().at(0).gradient.defined);
  std::ostringstream out;
  torch_tidy::print_taps(out);
  EXPECT_NE(out.str().find("NO GRADIENT"), std::string::npos);
}

TEST_F(TapTest, says_where_the_graph_was_cut_before_it) {
  torch_tidy::tap("features", torch::ones({3}).mul(2));
  std::ostringstream out;
  torch_tidy::print_taps(out);
  EXPECT_NE(out.str().find("does not require grad"), std::string::npos);
}

TEST_F(TapTest, does_nothing_while_gradient_mode_is_off) {
  const torch::Tensor x = torch::ones({3}, torch::requires_grad());
  const torch::NoGradGuard no_grad;
  torch_tidy::tap("features", x * 2);
  EXPECT_TRUE(torch_tidy::taps().empty());
}

TEST_F(TapTest, reports_the_value_at_the_tap_whatever_is_written_into_it_later) {
  const torch::Tensor x = torch::ones({3}, torch::requires_grad());
  torch::Tensor f = x * 2;
  torch_tidy::tap("features", f);
  f.mul_(10);
  f.sum().backward();
  const auto one = torch_tidy::taps().at(0);
  EXPECT_FLOAT_EQ(one.gradient.max_abs, 10.0);
}

TEST_F(TapTest, prints_the_norm_that_retain_grad_would_show_in_one_line) {
  torch::nn::Linear net(3, 4);
  const auto x = torch::randn({2, 3});
  auto f = net(x);
  std::ostringstream told;
  torch_tidy::tap("features", f, told);
  EXPECT_EQ(told.str(), "");
  EXPECT_TRUE(std::isnan(torch_tidy::grad_norm("features")));
  f.pow(2).sum().backward();
  std::ostringstream wanted;
  wanted << "features: grad norm " << std::setprecision(4) << f.grad().norm().item<double>();
  const std::string text = told.str();
  EXPECT_EQ(text.rfind(wanted.str(), 0), 0) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NEAR(torch_tidy::grad_norm("features"), f.grad().norm().item<double>(), 1e-5);
}

TEST_F(TapTest, keeps_no_graph_alive) {
  torch::Tensor x = torch::ones({3}, torch::requires_grad());
  torch::Tensor f = x * 2;
  const c10::weak_intrusive_ptr<c10::TensorImpl> watched(f.getIntrusivePtr());
  torch_tidy::tap("features", f);
  f.sum().backward();
  f.reset();
  EXPECT_TRUE(watched.expired());
}

TEST_F(TapTest, of_an_earlier_round_stays_silent_after_clearing) {
  const torch::Tensor x = torch::ones({3}, torch::requires_grad());
  const torch::Tensor f = torch_tidy::tap("features", x * 2);
  torch_tidy::clear_taps();
  f.sum().backward();
  EXPECT_TRUE(torch_tidy::taps().empty());
}
