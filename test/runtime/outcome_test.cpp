#include "outcome.h"
#include "table.h"
#include "verdict.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace torch_tidy::confirm;

namespace {

GradientObservation gradient(const std::string &name, std::vector<double> values) {
  GradientObservation one;
  one.name = name;
  one.numel = static_cast<int64_t>(values.size());
  one.defined = true;
  one.reached = true;
  for (const double value : values) {
    one.norm += value * value;
    one.max_abs = std::max(one.max_abs, std::abs(value));
    one.zeros += value == 0 ? 1 : 0;
    one.non_finite += std::isfinite(value) ? 0 : 1;
    one.fp16_subnormal += value != 0 && std::abs(value) < 6.1e-5 ? 1 : 0;
  }
  one.norm = std::sqrt(one.norm);
  one.values = std::move(values);
  return one;
}

GradientObservation undefined(const std::string &name) {
  GradientObservation one;
  one.name = name;
  one.numel = 2;
  return one;
}

StepObservation step(std::vector<GradientObservation> gradients, double loss = 1.0) {
  StepObservation result;
  result.losses = {loss};
  result.rounds = {RoundObservation{1.0, false, 1, 0}};
  result.gradients = std::move(gradients);
  return result;
}

ModelObservation model(std::vector<StepObservation> steps) {
  ModelObservation result;
  result.model = "net";
  result.status = ModelObservation::Status::finished;
  result.steps = std::move(steps);
  for (size_t i = 0; i < result.steps.size(); ++i) {
    result.steps[i].index = static_cast<int64_t>(i);
  }
  return result;
}

ModelObservation throwing(std::vector<StepObservation> steps, const std::string &phase) {
  ModelObservation result = model(std::move(steps));
  result.status = ModelObservation::Status::threw;
  StepObservation cut;
  cut.cut_short = true;
  result.steps.push_back(cut);
  ExceptionObservation exception;
  exception.message = "modified by an inplace operation";
  exception.phase = phase;
  exception.step = static_cast<int64_t>(result.steps.size()) - 1;
  result.exception = exception;
  return result;
}

Observed compared(const ModelObservation &variant, const ModelObservation &corrected,
                  const std::string &precision = "fp32",
                  const ModelObservation *variant_fp32 = nullptr) {
  Tolerance tolerance;
  tolerance.base = base_tolerance(precision);
  return compare(variant, corrected, tolerance, variant_fp32, precision);
}

const ModelObservation right = model({step({gradient("w", {1, 2}), gradient("b", {3})}),
                                      step({gradient("w", {2, 2}), gradient("b", {1})})});

} // namespace

TEST(Outcome, is_benign_when_everything_is_the_same) {
  EXPECT_EQ(compared(right, right).outcome, Outcome::benign);
}

TEST(Outcome, forgives_rounding_and_nothing_more) {
  ModelObservation close = right;
  close.steps[0].gradients[0].values = {1.00001, 2};
  EXPECT_EQ(compared(close, right).outcome, Outcome::benign);
  close.steps[0].gradients[0].values = {1.001, 2};
  EXPECT_EQ(compared(close, right).outcome, Outcome::wrong);
  // What is wrong in fp32 is rounding in bf16.
  EXPECT_EQ(compared(close, right, "bf16").outcome, Outcome::benign);
}

TEST(Outcome, throws_when_the_corrected_program_does_not) {
  const Observed observed = compared(throwing({}, "backward"), right);
  EXPECT_EQ(observed.outcome, Outcome::throws);
  EXPECT_EQ(observed.step, 0);
  EXPECT_NE(observed.reason.find("modified by an inplace operation"), std::string::npos);
}

TEST(Outcome, throws_in_the_second_step_after_an_equal_first) {
  const Observed observed = compared(throwing({right.steps[0]}, "backward"), right);
  EXPECT_EQ(observed.outcome, Outcome::throws);
  EXPECT_EQ(observed.step, 1);
}

TEST(Outcome, of_the_first_differing_step_decides_though_a_later_one_throws) {
  StepObservation wrong = right.steps[0];
  wrong.gradients[0].values = {9, 9};
  EXPECT_EQ(compared(throwing({wrong}, "backward"), right).outcome, Outcome::wrong);
}

TEST(Outcome, is_unknown_when_the_corrected_program_throws_the_same) {
  const Observed observed = compared(throwing({}, "backward"), throwing({}, "backward"));
  EXPECT_FALSE(observed.outcome);
  EXPECT_NE(observed.reason.find("not all defects are repaired"), std::string::npos);
}

TEST(Outcome, throws_earlier_than_a_corrected_program_that_throws_too) {
  EXPECT_EQ(compared(throwing({}, "forward"), throwing({}, "backward")).outcome, Outcome::throws);
}

TEST(Outcome, is_undefined_when_a_gradient_is_missing) {
  const Observed observed = compared(model({step({undefined("w"), gradient("b", {3})})}), right);
  EXPECT_EQ(observed.outcome, Outcome::undefined);
  ASSERT_FALSE(observed.parameters.empty());
  EXPECT_EQ(observed.parameters[0].name, "w");
  EXPECT_EQ(observed.parameters[0].outcome, Outcome::undefined);
  EXPECT_EQ(observed.parameters[1].outcome, Outcome::benign);
}

TEST(Outcome, is_not_undefined_for_a_parameter_frozen_in_both) {
  const ModelObservation both = model({step({undefined("w"), gradient("b", {3})})});
  EXPECT_EQ(compared(both, both).outcome, Outcome::benign);
}

TEST(Outcome, is_zero_when_the_gradient_is_defined_but_all_zero) {
  EXPECT_EQ(compared(model({step({gradient("w", {0, 0}), gradient("b", {3})})}), right).outcome,
            Outcome::zero);
}

TEST(Outcome, undefined_comes_before_zero_and_zero_before_wrong) {
  EXPECT_EQ(compared(model({step({gradient("b", {0}), undefined("w")})}), right).outcome,
            Outcome::undefined);
  EXPECT_EQ(compared(model({step({gradient("b", {7}), gradient("w", {0, 0})})}), right).outcome,
            Outcome::zero);
}

TEST(Outcome, takes_a_gradient_of_rounding_noise_for_none) {
  const ModelObservation noise =
      model({step({gradient("w", {1, 2}), gradient("bias_before_norm", {1e-9, -1e-9})})});
  const ModelObservation exact =
      model({step({gradient("w", {1, 2}), gradient("bias_before_norm", {0, 0})})});
  EXPECT_EQ(compared(exact, noise).outcome, Outcome::benign);
}

TEST(Outcome, remembers_that_defined_zeros_are_only_what_zero_grad_left) {
  // LibTorch before 2.0, second step of a cut parameter.
  ModelObservation variant = right;
  variant.steps[0].gradients[0] = gradient("w", {0, 0});
  variant.steps[0].gradients[0].reached = false;
  const Observed observed = compared(variant, right);
  EXPECT_EQ(observed.outcome, Outcome::zero);
  EXPECT_TRUE(observed.never_arrived);
}

TEST(Outcome, is_underflow_when_only_the_reduced_precision_loses_it) {
  const ModelObservation lost = model({step({gradient("w", {0, 0}), gradient("b", {3})})});
  EXPECT_EQ(compared(lost, right, "fp16", &right).outcome, Outcome::underflow);
  EXPECT_EQ(compared(lost, right, "fp16", &lost).outcome, Outcome::zero);
}

TEST(Outcome, is_underflow_when_float16_keeps_only_remains) {
  ModelObservation remains = right;
  remains.steps[0].gradients[0].fp16_subnormal = 2;
  EXPECT_EQ(compared(remains, right, "fp16-noscale", &right).outcome, Outcome::underflow);
  EXPECT_EQ(compared(remains, right, "bf16", &right).outcome, Outcome::benign);
}

TEST(Outcome, is_wrong_when_the_loss_alone_differs) {
  ModelObservation variant = right;
  variant.steps[0].losses = {1.01};
  EXPECT_EQ(compared(variant, right).outcome, Outcome::wrong);
}

TEST(Outcome, is_wrong_when_only_one_gradient_is_not_finite) {
  ModelObservation variant = right;
  variant.steps[0].gradients[0] = gradient("w", {INFINITY, 2});
  EXPECT_EQ(compared(variant, right).outcome, Outcome::wrong);
  EXPECT_EQ(compared(variant, variant).outcome, Outcome::benign);
}

TEST(Outcome, is_stale_when_gradients_of_the_step_before_are_added) {
  ModelObservation variant = right;
  variant.steps[1].gradients = {gradient("w", {3, 4}), gradient("b", {4})};
  EXPECT_EQ(compared(variant, right).outcome, Outcome::stale);
  // Some other difference in the same place is only wrong.
  variant.steps[1].gradients = {gradient("w", {3, 4.5}), gradient("b", {4})};
  EXPECT_EQ(compared(variant, right).outcome, Outcome::wrong);
  // Unless the old gradient was seen there when backward began.
  variant.steps[1].leftover = {"w", "b"};
  EXPECT_EQ(compared(variant, right).outcome, Outcome::stale);
}

TEST(Outcome, is_benign_when_gradients_accumulate_in_both) {
  ModelObservation both = right;
  both.steps[1].leftover = {"w", "b"};
  EXPECT_EQ(compared(both, both).outcome, Outcome::benign);
}

TEST(Outcome, is_stale_when_the_optimizer_holds_other_tensors) {
  ModelObservation variant = right;
  variant.steps[0].unowned = {"w", "b"};
  variant.steps[0].rounds[0].foreign_tensors = 2;
  EXPECT_EQ(compared(variant, right).outcome, Outcome::stale);
}

TEST(Outcome, is_stale_when_the_forward_uses_other_weights_than_those_registered) {
  ModelObservation variant = model({step({undefined("w"), gradient("b", {3})})});
  variant.steps[0].foreign_leaves = {"w"};
  EXPECT_EQ(compared(variant, right).outcome, Outcome::stale);
}

TEST(Outcome, is_stale_when_backward_uses_weights_from_before_the_last_step) {
  ModelObservation variant = right;
  variant.steps[1].gradients[0].values = {5, 5};
  variant.steps[1].outdated = {"w"};
  EXPECT_EQ(compared(variant, right).outcome, Outcome::stale);
  // Harmless where nothing comes out of it: a bias is added, its value is not saved.
  variant.steps[1].gradients[0].values = right.steps[1].gradients[0].values;
  EXPECT_EQ(compared(variant, right).outcome, Outcome::benign);
}

TEST(Outcome, ignores_gradients_of_steps_that_both_skip) {
  ModelObservation a = right;
  ModelObservation b = right;
  a.steps[0].rounds[0].skipped = b.steps[0].rounds[0].skipped = true;
  a.steps[0].gradients[0] = gradient("w", {INFINITY, 1});
  b.steps[0].gradients[0] = gradient("w", {NAN, 2});
  EXPECT_EQ(compared(a, b, "fp16", &right).outcome, Outcome::benign);
}

TEST(Outcome, is_unknown_when_a_run_was_lost_or_never_trained) {
  ModelObservation lost;
  lost.lost_reason = "took more than 5 s";
  EXPECT_FALSE(compared(lost, right).outcome);
  EXPECT_EQ(compared(lost, right).reason, "took more than 5 s");
  EXPECT_FALSE(compared(right, lost).outcome);
  EXPECT_FALSE(compared(model({}), model({})).outcome);
}

TEST(Outcome, tolerance_grows_with_the_noise_of_the_corrected_program) {
  ModelObservation again = right;
  again.steps[0].gradients[0].values = {1.001, 2};
  const Tolerance tolerance = calibrate("fp32", right, &again, nullptr);
  EXPECT_GT(tolerance.of("w"), 1e-3);
  EXPECT_DOUBLE_EQ(tolerance.of("b"), 1e-4);
}

TEST(Outcome, alone_proves_what_needs_no_comparison) {
  EXPECT_EQ(judge_alone(right, nullptr, "fp32").outcome, Outcome::benign);
  EXPECT_EQ(judge_alone(throwing({}, "forward"), nullptr, "fp32").outcome, Outcome::throws);
  const ModelObservation cut = model(
      {step({undefined("w"), gradient("b", {1})}), step({undefined("w"), gradient("b", {1})})});
  EXPECT_EQ(judge_alone(cut, nullptr, "fp32").outcome, Outcome::undefined);
  // Missing once is no defect: an embedding that a batch did not use.
  const ModelObservation once = model({step({undefined("w")}), step({gradient("w", {1, 1})})});
  EXPECT_EQ(judge_alone(once, nullptr, "fp32").outcome, Outcome::benign);
}

TEST(Outcome, words_are_the_contracts) {
  for (const char *const text :
       {"throws", "undefined", "zero", "underflow", "stale", "wrong", "benign"}) {
    ASSERT_TRUE(parse_outcome(text)) << text;
    EXPECT_EQ(word(*parse_outcome(text)), text);
  }
  EXPECT_FALSE(parse_outcome("fine"));
}

namespace {

RunObservation run(ModelObservation one, const std::string &precision = "fp32") {
  RunObservation result;
  result.device = "cpu";
  result.libtorch = "2.15.0";
  result.precision = precision;
  result.names = {one.model};
  result.models = {std::move(one)};
  return result;
}

Finding predicting(const std::string &outcome) {
  Finding finding;
  finding.predicted = outcome;
  finding.certainty = "definite";
  return finding;
}

const ModelObservation cut = model({step({undefined("w"), gradient("b", {3})})});

} // namespace

TEST(Verdict, confirms_what_is_observed_as_predicted) {
  const Verdict verdict = judge(predicting("undefined"), {{"fp32", run(cut)}},
                                {{"fp32", run(right)}}, run(right), {"fp32"});
  EXPECT_EQ(verdict.verdict, "confirmed");
  EXPECT_EQ(verdict.observed, "undefined");
  const auto json = to_json(verdict);
  EXPECT_EQ(json["parameters"][0]["fp32"]["outcome"], "undefined");
  EXPECT_EQ(json["device"], "cpu");
}

TEST(Verdict, refutes_what_is_observed_otherwise) {
  const Verdict verdict = judge(predicting("throws"), {{"fp32", run(cut)}}, {{"fp32", run(right)}},
                                run(right), {"fp32"});
  EXPECT_EQ(verdict.verdict, "refuted");
  EXPECT_EQ(verdict.observed, "undefined");
}

TEST(Verdict, confirms_when_one_precision_agrees_and_names_it) {
  const Verdict verdict =
      judge(predicting("undefined"), {{"fp32", run(right)}, {"bf16", run(cut)}},
            {{"fp32", run(right)}, {"bf16", run(right)}}, run(right), {"fp32", "bf16"});
  EXPECT_EQ(verdict.verdict, "confirmed");
  EXPECT_EQ(verdict.observed, "undefined");
  EXPECT_NE(verdict.reason.find("in bf16"), std::string::npos);
}

TEST(Verdict, says_which_precision_was_not_available) {
  RunObservation none;
  none.unavailable = "no autocast";
  const Verdict verdict =
      judge(predicting("undefined"), {{"fp32", run(cut)}, {"fp16", none}},
            {{"fp32", run(right)}, {"fp16", none}}, run(right), {"fp32", "fp16"});
  EXPECT_EQ(verdict.verdict, "confirmed");
  EXPECT_EQ(verdict.precision, std::vector<std::string>{"fp32"});
  EXPECT_EQ(to_json(verdict)["notAvailable"]["fp16"], "no autocast");
}

TEST(Verdict, is_inconclusive_when_a_program_does_not_repeat_itself) {
  ModelObservation other = right;
  other.steps[0].gradients[0].values = {-3, 8};
  const Verdict verdict = judge(predicting("wrong"), {{"fp32", run(other)}}, {{"fp32", run(right)}},
                                run(other), {"fp32"});
  EXPECT_EQ(verdict.verdict, "inconclusive");
  EXPECT_NE(verdict.reason.find("same seed"), std::string::npos);
}

TEST(Verdict, without_a_fix_needs_proof_by_the_run_alone) {
  const auto verdict = [&](const char *predicted, const ModelObservation &alone,
                           const ModelObservation &measured, bool rivals = false) {
    return judge_without_fix(predicting(predicted), {{"fp32", run(alone)}, {"bf16", run(alone)}},
                             run(measured), {"fp32", "bf16"}, rivals);
  };
  const ModelObservation threw = throwing({}, "backward");
  EXPECT_EQ(verdict("throws", threw, threw).verdict, "confirmed");
  EXPECT_EQ(verdict("throws", threw, threw, /*rivals=*/true).verdict, "inconclusive");
  EXPECT_EQ(verdict("throws", right, right).verdict, "refuted");
  // Without a word on the derivatives nothing is known of a gradient's value.
  const Verdict unknown = verdict("wrong", right, right);
  EXPECT_EQ(unknown.verdict, "inconclusive");
  EXPECT_FALSE(unknown.modes.at("fp32").observed.outcome);
  EXPECT_NE(unknown.reason.find("no derivative could be measured"), std::string::npos);

  ModelObservation measured = right;
  measured.derivatives = {{"a", true, 2.0, 1.5, 1.5, 0.001}, {"b", true, 2.0, 1.5, 1.2, 0.001}};
  const Verdict wrong = verdict("wrong", right, measured);
  EXPECT_EQ(wrong.verdict, "confirmed");
  EXPECT_EQ(wrong.observed, "wrong");
  EXPECT_EQ(wrong.modes.at("fp32").observed.parameters[0].outcome, Outcome::benign);
  EXPECT_EQ(wrong.modes.at("fp32").observed.parameters[1].outcome, Outcome::wrong);
  EXPECT_FALSE(wrong.modes.at("bf16").observed.outcome);
  measured.derivatives[1].uncertainty = 0.1; // then it may be right
  EXPECT_EQ(verdict("wrong", right, measured).verdict, "inconclusive");
  measured.derivatives[1].numeric = 1.51;
  EXPECT_EQ(verdict("wrong", right, measured).verdict, "inconclusive");

  ModelObservation late = right;
  late.steps[0].outdated = {"a"};
  EXPECT_EQ(verdict("stale", late, late).verdict, "confirmed");
  EXPECT_EQ(verdict("stale", right, right).verdict, "inconclusive");
  EXPECT_EQ(verdict("wrong", late, late).verdict, "inconclusive");
}

TEST(Outcome, derivatives_tell_missing_and_zero_gradients_from_needless_ones) {
  ModelObservation one = model({step({gradient("a", {1, 2})})});
  EXPECT_FALSE(judge_derivatives(one).outcome);
  one.derivatives = {{"a", false, 0, 0, 0, 0.001}};
  EXPECT_FALSE(judge_derivatives(one).outcome); // the loss does not depend on it either
  one.derivatives = {{"a", false, 0, 0, 0.5, 0.001}};
  EXPECT_EQ(judge_derivatives(one).outcome, Outcome::undefined);
  one.derivatives = {{"a", true, 0, 0, 0.5, 0.001}};
  EXPECT_EQ(judge_derivatives(one).outcome, Outcome::zero);
}

TEST(Outcome, is_stale_when_the_optimizer_passes_over_a_parameter) {
  StepObservation stepped = step({gradient("a", {1, 2}), gradient("b", {3})});
  StepObservation passed = stepped;
  stepped.stepped = {"a", "b"};
  passed.stepped = {"a"};
  const Observed observed = compare(model({passed}), model({stepped}), {}, nullptr, "fp32");
  EXPECT_EQ(observed.outcome, Outcome::stale);
  EXPECT_EQ(observed.reason, "the optimizer does not step b");
  passed.rounds[0].skipped = true; // the scaler's doing
  EXPECT_NE(compare(model({passed}), model({stepped}), {}, nullptr, "fp32").outcome,
            Outcome::stale);
}

TEST(Table, has_columns_as_wide_as_their_characters) {
  EXPECT_EQ(table({{"a", "bcd", "e"}, {"∂∂", "f", ""}}), "a   bcd  e\n∂∂  f\n");
  Verdict verdict;
  verdict.precision = {"fp32"};
  verdict.modes["fp32"].observed.parameters = {{"a", Outcome::wrong},
                                               {"b", Outcome::benign},
                                               {"c", Outcome::zero},
                                               {"d", Outcome::wrong},
                                               {"e", Outcome::wrong}};
  EXPECT_EQ(affected(verdict), "a, c, d and 1 more");
  verdict.modes["fp32"].observed.outcome = Outcome::throws;
  EXPECT_EQ(affected(verdict), "all: it raises");
}
