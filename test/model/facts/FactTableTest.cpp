// The shipped tables themselves: every row well formed, lookups, normal forms, choice of version, and
// a few dozen facts that everything else leans on.
#include "facts/FactTable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ostream>
#include <set>
#include <string>
#include <thread>

using namespace torch_tidy::facts;

// What GoogleTest calls a version in the names of tests.
namespace torch_tidy::facts {
void PrintTo(Version V, std::ostream *Out) { *Out << toString(V); }
} // namespace torch_tidy::facts

namespace {

using Relation = OpFact::Output::Relation;

class EveryTable : public testing::TestWithParam<Version> {
protected:
  const FactTable &Table = FactTable::forVersion(GetParam());

  const OpFact &op(std::string_view Name) {
    const OpFact *Op = Table.op(Name);
    EXPECT_NE(Op, nullptr) << Name;
    static const OpFact Missing;
    return Op ? *Op : Missing;
  }

  const ModuleFact &module(std::string_view Name) {
    const ModuleFact *M = Table.module(Name);
    EXPECT_NE(M, nullptr) << Name;
    static const ModuleFact Missing;
    return M ? *M : Missing;
  }
};

std::string text(const std::vector<Saved> &Saves) {
  std::string Result;
  for (const Saved &S : Saves)
    Result += std::to_string(S.GradientOf) + "<" + "iop"[S.What] + std::to_string(S.Index) +
              (S.Always ? " " : "? ");
  if (!Result.empty())
    Result.pop_back();
  return Result;
}

std::string saves(const OpFact &Op) { return text(Op.Saves); }

std::string name(const testing::TestParamInfo<Version> &Info) {
  std::string Text = "LibTorch_" + toString(Info.param);
  std::replace(Text.begin(), Text.end(), '.', '_');
  return Text;
}

INSTANTIATE_TEST_SUITE_P(Facts, EveryTable, testing::ValuesIn(FactTable::versions()), name);

// ------------------------------------------------------------------------------- choice of table

TEST(Versions, TheThreeShippedTablesAreThere) {
  std::vector<Version> Expected = {{1, 13, 1}, {2, 6, 0}, {2, 15, 0}};
  for (Version V : Expected)
    EXPECT_EQ(toString(FactTable::forVersion(V).measuredOn()), toString(V));
}

TEST(Versions, TheNewestTableThatIsNotNewerIsTaken) {
  auto Chosen = [](Version V) { return toString(FactTable::forVersion(V).measuredOn()); };
  EXPECT_EQ(Chosen({2, 0, 1}), "1.13.1");
  EXPECT_EQ(Chosen({2, 6, 1}), "2.6.0");
  EXPECT_EQ(Chosen({2, 14, 0}), "2.6.0");
  EXPECT_EQ(Chosen({3, 0, 0}), "2.15.0");
}

TEST(Versions, ATableOfTheSameMinorVersionFitsWhateverThePatch) {
  // Debian's headers of 1.13.1 say 1.13.0.
  const FactTable &Table = FactTable::forVersion({1, 13, 0});
  EXPECT_EQ(toString(Table.measuredOn()), "1.13.1");
  EXPECT_TRUE(Table.fits({1, 13, 0}));
  EXPECT_FALSE(Table.fits({1, 12, 1}));
  EXPECT_TRUE(FactTable::forVersion({2, 15, 3}).fits({2, 15, 3}));
  EXPECT_FALSE(FactTable::forVersion({2, 9, 0}).fits({2, 9, 0}));
}

TEST(Versions, BeforeTheOldestTableTheOldestIsTaken) {
  EXPECT_EQ(toString(FactTable::forVersion({1, 4, 0}).measuredOn()), "1.13.1");
}

TEST(Versions, OneTableIsReadOnceAlsoByManyThreads) {
  std::vector<const FactTable *> Seen(8);
  std::vector<std::thread> Threads;
  for (size_t I = 0; I < Seen.size(); ++I)
    Threads.emplace_back([&Seen, I] { Seen[I] = &FactTable::forVersion({2, 6, 0}); });
  for (std::thread &T : Threads)
    T.join();
  for (const FactTable *T : Seen)
    EXPECT_EQ(T, Seen[0]);
}

// ------------------------------------------------------------------------------- well-formed rows

TEST_P(EveryTable, HoldsThousandsOfOperatorsAndMostAreKnown) {
  auto Known = std::count_if(Table.ops().begin(), Table.ops().end(),
                             [](const OpFact &Op) { return Op.Known; });
  EXPECT_GT(Table.ops().size(), 2900u);
  EXPECT_GT(Known, static_cast<long>(Table.ops().size()) * 85 / 100);
  EXPECT_GT(Table.modules().size(), 110u);
}

TEST_P(EveryTable, EveryOperatorRefersOnlyToItsOwnArgumentsAndOutputs) {
  std::set<std::string_view> Names;
  for (const OpFact &Op : Table.ops()) {
    SCOPED_TRACE(std::string(Op.Name));
    EXPECT_TRUE(Names.insert(Op.Name).second) << "twice in the table";
    EXPECT_EQ(Table.op(Op.Name), &Op);
    int Arguments = static_cast<int>(Op.Arguments.size());
    int Outputs = static_cast<int>(Op.Outputs.size());
    for (const OpFact::Argument &A : Op.Arguments) {
      EXPECT_FALSE(A.Name.empty());
      EXPECT_FALSE(A.Type.empty());
      EXPECT_FALSE(A.Mutated && A.WrittenQuietly);
      if (A.Mutated || A.Bumped || A.WrittenQuietly)
        EXPECT_EQ(A.Type.substr(0, 6), "Tensor") << A.Name;
    }
    for (const OpFact::Output &O : Op.Outputs) {
      EXPECT_EQ(O.Argument >= 0, O.Kind != OpFact::Output::Fresh);
      EXPECT_LT(O.Argument, Arguments);
      if (O.MultiView)
        EXPECT_EQ(O.Kind, OpFact::Output::ViewOf);
    }
    for (const Saved &S : Op.Saves) {
      EXPECT_GE(S.GradientOf, 0);
      EXPECT_LT(S.GradientOf, Arguments);
      EXPECT_NE(S.What, Saved::Parameter);
      EXPECT_GE(S.Index, 0);
      EXPECT_LT(S.Index, S.What == Saved::Input ? Arguments : Outputs);
    }
    if (!Op.Known)
      EXPECT_TRUE(Op.Saves.empty());
  }
}

TEST_P(EveryTable, NoInPlaceOperatorSavesTheValueItOverwrites) {
  // What it saves of a tensor that it writes and returns is the result; the old value is copied.
  for (const OpFact &Op : Table.ops())
    for (const Saved &S : Op.Saves)
      for (const OpFact::Output &O : Op.Outputs)
        EXPECT_FALSE(S.What == Saved::Input && O.Kind == OpFact::Output::SameAs &&
                     O.Argument == S.Index)
            << Op.Name;
}

TEST_P(EveryTable, EveryWrittenArgumentOfAnInPlaceMethodIsItsResult) {
  for (const OpFact &Op : Table.ops()) {
    std::string_view Base = Op.Name.substr(0, Op.Name.find('.'));
    if (Op.OutForm || Base.empty() || Base.back() != '_' || Base[0] == '_' ||
        Op.Outputs.size() != 1)
      continue;
    EXPECT_EQ(Op.Outputs[0].Kind, OpFact::Output::SameAs) << Op.Name;
  }
}

TEST_P(EveryTable, EverySpellingMapsItsParametersIntoItsOperator) {
  size_t Seen = 0;
  for (Spelling::Kind Kind : {Spelling::Method, Spelling::Function, Spelling::Functional}) {
    std::set<std::string_view> Names;
    for (const char *Name : {"mul", "add_", "relu", "index", "conv2d", "linalg_norm", "softmax"})
      Names.insert(Name);
    for (const OpFact &Op : Table.ops())
      Names.insert(Op.Name.substr(0, Op.Name.find('.')));
    for (std::string_view Name : Names)
      for (const Spelling *S : Table.spellings(Kind, Name)) {
        SCOPED_TRACE(std::string(S->Name) + " -> " + std::string(S->Op->Name));
        ++Seen;
        EXPECT_EQ(S->Name, Name);
        ASSERT_NE(S->Op, nullptr);
        ASSERT_EQ(S->ArgumentOf.size(), S->Parameters.size());
        for (size_t I = 0; I < S->Parameters.size(); ++I) {
          EXPECT_LT(S->ArgumentOf[I], static_cast<int>(S->Op->Arguments.size()));
          EXPECT_GE(S->ArgumentOf[I], -1);
          // The tables' types are in the normal form of this program, not only of the generator.
          EXPECT_EQ(normalForm(S->Parameters[I]), S->Parameters[I]);
          if (S->Parameters[I] == "Tensor" && Kind != Spelling::Functional)
            EXPECT_GE(S->ArgumentOf[I], 0);
        }
        EXPECT_EQ(S->InPlaceParameter >= 0, S->InPlaceOp != nullptr);
        if (S->InPlaceOp)
          EXPECT_TRUE(S->InPlaceOp->Arguments[0].Mutated);
        EXPECT_EQ(Table.spelling(Kind, Name, S->Parameters), S) << "found by its own types";
      }
  }
  EXPECT_GT(Seen, 2500u);
}

TEST_P(EveryTable, EveryModuleRefersOnlyToWhatItHas) {
  for (const ModuleFact &M : Table.modules()) {
    SCOPED_TRACE(std::string(M.Name));
    EXPECT_EQ(Table.module(M.Name), &M);
    int Parameters = static_cast<int>(M.Parameters.size());
    int Buffers = static_cast<int>(M.Buffers.size());
    EXPECT_TRUE(M.Known);
    EXPECT_GE(M.Inputs, 1);
    EXPECT_FALSE(M.Returns.empty());
    for (const auto *Saves : {&M.SavesInTraining, &M.SavesInEval, &M.SavesInPlace})
      for (const Saved &S : *Saves) {
        EXPECT_GE(S.GradientOf, -Parameters);
        EXPECT_GE(S.Index, 0);
        if (S.What == Saved::Parameter)
          EXPECT_LT(S.Index, Parameters);
      }
    for (const auto *Saved : {&M.BuffersSavedInTraining, &M.BuffersSavedInEval})
      for (int B : *Saved)
        EXPECT_LT(B, Buffers);
    if (!M.InPlaceOption)
      EXPECT_TRUE(M.SavesInPlace.empty());
  }
}

// ------------------------------------------------------------------------------- lookups

TEST_P(EveryTable, AMethodIsFoundByTheTypesOfItsParameters) {
  const Spelling *ByTensor = Table.spelling(Spelling::Method, "mul_", {"Tensor"});
  const Spelling *ByScalar = Table.spelling(Spelling::Method, "mul_", {"Scalar"});
  ASSERT_TRUE(ByTensor && ByScalar);
  EXPECT_EQ(ByTensor->Op->Name, "mul_.Tensor");
  EXPECT_EQ(ByScalar->Op->Name, "mul_.Scalar");
  EXPECT_EQ(ByTensor->ArgumentOf, std::vector<int>{1});
}

TEST_P(EveryTable, AnArithmeticArgumentMeansTheScalarOverload) {
  const Spelling *S = Table.spelling(Spelling::Method, "mul", {"float"});
  ASSERT_NE(S, nullptr);
  EXPECT_EQ(S->Op->Name, "mul.Scalar");
}

TEST_P(EveryTable, AnOverloadThatCannotBeToldIsNotGuessed) {
  // pow(Tensor, Tensor), pow(Scalar, Tensor) and pow(Tensor, Scalar) save different things.
  EXPECT_EQ(Table.spelling(Spelling::Function, "pow", {"auto", "auto"}), nullptr);
  EXPECT_EQ(Table.spelling(Spelling::Function, "no_such_function", {"Tensor"}), nullptr);
}

TEST_P(EveryTable, OutFormsMapTheirFirstParameterToTheOutArgument) {
  const Spelling *S = Table.spelling(Spelling::Function, "mul_out", {"Tensor", "Tensor", "Tensor"});
  ASSERT_NE(S, nullptr);
  EXPECT_EQ(S->ArgumentOf, (std::vector<int>{2, 0, 1}));
  EXPECT_TRUE(S->Op->OutForm);
  EXPECT_TRUE(S->Op->Arguments[2].Mutated);
}

TEST_P(EveryTable, NamespacedFunctionsAreFoundUnderTheirAtenName) {
  const Spelling *S = Table.spelling(Spelling::Function, "linalg_norm",
                                     {"Tensor", "Scalar", "int[]", "bool", "ScalarType"});
  ASSERT_NE(S, nullptr);
  EXPECT_EQ(S->Op->Name, "linalg_norm");
}

TEST_P(EveryTable, CompoundAssignmentsAndOperatorsAreSpellingsToo) {
  const Spelling *Assign = Table.spelling(Spelling::Method, "operator*=", {"Tensor"});
  const Spelling *Product = Table.spelling(Spelling::Function, "operator*", {"Scalar", "Tensor"});
  ASSERT_TRUE(Assign && Product);
  EXPECT_EQ(Assign->Op->Name, "mul_.Tensor");
  EXPECT_EQ(Product->ArgumentOf, (std::vector<int>{1, 0}));
}

TEST_P(EveryTable, AFunctionalKnowsTheOptionThatSwitchesItInPlace) {
  const Spelling *Options = Table.spelling(Spelling::Functional, "relu", {"Tensor", "options"});
  const Spelling *Flag = Table.spelling(Spelling::Functional, "relu", {"Tensor", "bool"});
  ASSERT_TRUE(Options && Flag);
  for (const Spelling *S : {Options, Flag}) {
    EXPECT_EQ(S->Op->Name, "relu");
    EXPECT_EQ(S->InPlaceParameter, 1);
    ASSERT_NE(S->InPlaceOp, nullptr);
    EXPECT_EQ(S->InPlaceOp->Name, "relu_");
  }
}

TEST_P(EveryTable, EveryInPlaceFunctionalHasItsInPlaceOperator) {
  for (const char *Name :
       {"relu", "relu6", "elu", "selu", "celu", "leaky_relu", "hardtanh", "threshold", "rrelu",
        "dropout", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"}) {
    const Spelling *S = Table.spelling(Spelling::Functional, Name, {"Tensor", "options"});
    ASSERT_NE(S, nullptr) << Name;
    EXPECT_NE(S->InPlaceOp, nullptr) << Name;
    EXPECT_EQ(S->InPlaceParameter, 1) << Name;
  }
}

TEST_P(EveryTable, AModuleIsFoundWithAndWithoutImpl) {
  EXPECT_EQ(Table.module("LinearImpl"), Table.module("Linear"));
  EXPECT_NE(Table.module("Linear"), nullptr);
  EXPECT_EQ(Table.module("Impl"), nullptr);
}

// ------------------------------------------------------------------------------- normal forms

TEST(NormalForm, SpellingsOfOneTypeAreOne) {
  struct {
    const char *Cxx, *Normal;
  } Cases[] = {
      {"const at::Tensor &", "Tensor"},
      {"at::Tensor", "Tensor"},
      {"torch::Tensor &&", "Tensor"},
      {"const ::std::optional<at::Tensor> &", "Tensor"},
      {"const c10::optional<at::Tensor> &", "Tensor"},
      {"at::OptionalTensorRef", "Tensor"},
      {"at::TensorList", "Tensor[]"},
      {"const at::ITensorListRef &", "Tensor[]"},
      {"c10::IListRef<at::Tensor>", "Tensor[]"},
      {"c10::ArrayRef<at::Tensor>", "Tensor[]"},
      {"const std::vector<torch::Tensor> &", "Tensor[]"},
      {"const c10::List<::std::optional<at::Tensor>> &", "Tensor[]"},
      {"at::IntArrayRef", "int[]"},
      {"c10::ArrayRef<int64_t>", "int[]"},
      {"c10::ArrayRef<long>", "int[]"},
      {"c10::SymIntArrayRef", "int[]"},
      {"at::OptionalIntArrayRef", "int[]"},
      {"c10::OptionalArrayRef<long>", "int[]"},
      {"::std::optional<at::IntArrayRef>", "int[]"},
      {"torch::ExpandingArray<2>", "int[]"},
      {"torch::ExpandingArray<2, double>", "int[]"},
      {"c10::SymInt", "int"},
      {"int64_t", "int"},
      {"unsigned long", "int"},
      {"::std::optional<int64_t>", "int"},
      {"double", "float"},
      {"::std::optional<double>", "float"},
      {"bool", "bool"},
      {"::std::array<bool,3>", "bool[]"},
      {"const at::Scalar &", "Scalar"},
      {"const ::std::optional<at::Scalar> &", "Scalar"},
      {"at::ArrayRef<at::Scalar>", "Scalar[]"},
      {"at::ScalarType", "ScalarType"},
      {"::std::optional<at::ScalarType>", "ScalarType"},
      {"caffe2::TypeMeta", "ScalarType"},
      {"at::TensorOptions", "TensorOptions"},
      {"c10::string_view", "str"},
      {"::std::string_view", "str"},
      {"std::basic_string_view<char, std::char_traits<char>>", "str"},
      {"const std::string &", "str"},
      {"const char *", "str"},
      {"const char (&)[5]", "str"},
      {"at::ArrayRef<at::indexing::TensorIndex>", "index"},
      {"std::initializer_list<at::indexing::TensorIndex>", "index"},
      {"at::DimnameList", "Dimname[]"},
      {"const torch::nn::functional::ReLUFuncOptions &", "options"},
      {"const torch::nn::ConvOptions<2> &", "options"},
      {"::std::optional<at::Generator>", "Generator"},
  };
  for (const auto &C : Cases)
    EXPECT_EQ(normalForm(C.Cxx), C.Normal) << C.Cxx;
}

TEST(NormalForm, WhatCannotBeReadIsKeptAndNeverCrashes) {
  for (const char *Text : {"", "<", ">", "a<", "std::optional<", "::", "const", "&", "x<y<z>"})
    EXPECT_NO_FATAL_FAILURE(normalForm(Text));
  EXPECT_EQ(normalForm("MyOwnType"), "MyOwnType");
}

// ------------------------------------------------------------------------------- pinned facts

TEST_P(EveryTable, TheseSaveTheirResult) {
  for (const char *Name : {"relu", "sigmoid", "tanh", "softmax.int", "log_softmax.int", "exp",
                           "sqrt", "rsqrt", "reciprocal"})
    EXPECT_EQ(saves(op(Name)), "0<o0") << Name;
}

TEST_P(EveryTable, TheseSaveTheirInput) {
  for (const char *Name : {"gelu", "silu", "mish", "softplus", "leaky_relu", "elu", "hardtanh",
                           "log", "abs", "sin", "cos", "clamp_min", "var", "max_pool2d",
                           "avg_pool2d", "pow.Tensor_Scalar"})
    EXPECT_EQ(saves(op(Name)), "0<i0") << Name;
}

TEST_P(EveryTable, TheseSaveNothing) {
  for (const char *Name :
       {"add.Tensor", "sub.Tensor", "add.Scalar", "neg", "sum", "mean", "cat", "stack", "view",
        "permute", "clone", "mul.Scalar", "div.Scalar", "upsample_nearest2d", "constant_pad_nd"})
    EXPECT_EQ(saves(op(Name)), "") << Name;
}

TEST_P(EveryTable, AProductSavesTheOtherFactorOnly) {
  EXPECT_EQ(saves(op("mul.Tensor")), "0<i1 1<i0");
  EXPECT_EQ(saves(op("mm")), "0<i1 1<i0");
  EXPECT_EQ(saves(op("bmm")), "0<i1 1<i0");
  // Dividing needs the divisor for both gradients and the dividend for its own.
  EXPECT_EQ(saves(op("div.Tensor")), "0<i1 1<i0 1<i1");
}

TEST_P(EveryTable, AConvolutionSavesInputAndWeightForEveryGradient) {
  EXPECT_EQ(saves(op("conv2d")), "0<i0 0<i1 1<i0 1<i1 2<i0 2<i1");
}

TEST_P(EveryTable, AnInPlaceProductSavesACopyOfWhatItOverwrites) {
  // The gradient of other needs the old self: autograd clones it, so nothing can clash.
  EXPECT_EQ(saves(op("mul_.Tensor")), "0<i1");
}

TEST_P(EveryTable, InPlaceActivationsSaveTheirResultOrACopy) {
  for (const char *Name : {"relu_", "sigmoid_", "tanh_", "exp_", "elu_", "selu_", "celu_",
                           "leaky_relu_", "rrelu_"})
    EXPECT_EQ(saves(op(Name)), "0<o0") << Name;
  for (const char *Name : {"hardtanh_", "relu6_", "silu_", "gelu_", "mish_", "hardswish_",
                           "threshold_", "add_.Tensor", "dropout_"})
    EXPECT_EQ(saves(op(Name)), "") << Name;
}

TEST_P(EveryTable, InPlaceOperatorsWriteAndReturnSelf) {
  for (const char *Name : {"add_.Tensor", "mul_.Scalar", "relu_", "zero_", "fill_.Scalar", "copy_",
                           "clamp_", "index_put_", "masked_fill_.Scalar", "scatter_add_",
                           "normal_", "uniform_", "dropout_", "nan_to_num_"}) {
    const OpFact &Op = op(Name);
    EXPECT_TRUE(Op.Arguments[0].Mutated && Op.Arguments[0].Bumped) << Name;
    EXPECT_EQ(Op.Outputs[0].Kind, OpFact::Output::SameAs) << Name;
    EXPECT_EQ(Op.Outputs[0].Argument, 0) << Name;
  }
}

TEST_P(EveryTable, ChangingTheShapeInPlaceBumpsButWritesNothing) {
  for (const char *Name : {"t_", "squeeze_", "unsqueeze_", "transpose_"}) {
    EXPECT_FALSE(op(Name).Arguments[0].Mutated) << Name;
    EXPECT_TRUE(op(Name).Arguments[0].Bumped) << Name;
  }
}

TEST_P(EveryTable, ViewsShareWithTheirBase) {
  for (const char *Name : {"view", "permute", "transpose.int", "select.int", "slice.Tensor", "t",
                           "expand", "squeeze", "unsqueeze", "diagonal", "as_strided",
                           "view_as", "narrow"}) {
    const OpFact &Op = op(Name);
    EXPECT_EQ(Op.Outputs[0].Kind, OpFact::Output::ViewOf) << Name;
    EXPECT_EQ(Op.Outputs[0].Argument, 0) << Name;
    EXPECT_FALSE(Op.Outputs[0].OwnCounter) << Name;
    EXPECT_EQ(Op.Outputs[0].Diff, Differentiable::Yes) << Name;
  }
}

TEST_P(EveryTable, TheseAreViewsOrCopiesAsItComes) {
  for (const char *Name : {"reshape", "contiguous", "flatten.using_ints", "to.dtype", "dropout",
                           "expand_as", "type_as"}) {
    Relation Kind = op(Name).Outputs[0].Kind;
    EXPECT_EQ(Kind, std::string_view(Name) == "expand_as" ? OpFact::Output::ViewOf
                                                          : OpFact::Output::MaybeView)
        << Name;
  }
}

TEST_P(EveryTable, DetachIsAViewThatEndsTheGraphAndSharesTheCounter) {
  const OpFact &Op = op("detach");
  EXPECT_EQ(Op.Outputs[0].Kind, OpFact::Output::ViewOf);
  EXPECT_EQ(Op.Outputs[0].Diff, Differentiable::No);
  EXPECT_FALSE(Op.Outputs[0].OwnCounter);
}

TEST_P(EveryTable, OnlyMultiViewsRefuseInPlaceWrites) {
  for (const char *Name : {"unbind.int", "chunk", "split.Tensor", "split_with_sizes"}) {
    EXPECT_TRUE(op(Name).Outputs[0].MultiView) << Name;
    EXPECT_TRUE(op(Name).Outputs[0].List) << Name;
  }
  EXPECT_FALSE(op("select.int").Outputs[0].MultiView);
  EXPECT_TRUE(op("unsafe_chunk").Outputs[0].OwnCounter);
}

TEST_P(EveryTable, StepFunctionsHaveAZeroGradient) {
  for (const char *Name : {"round", "floor", "ceil", "trunc", "sign", "zero_", "fill_.Scalar"})
    EXPECT_EQ(op(Name).Outputs[0].Diff, Differentiable::Zero) << Name;
  for (const char *Name : {"relu", "clamp", "abs", "remainder.Scalar", "frac"})
    EXPECT_EQ(op(Name).Outputs[0].Diff, Differentiable::Yes) << Name;
}

TEST_P(EveryTable, TheseEndTheGraph) {
  for (const char *Name : {"argmax", "eq.Tensor", "gt.Scalar", "multinomial", "isnan", "zeros_like",
                           "ones_like", "argsort", "bincount", "nonzero"})
    EXPECT_EQ(op(Name).Outputs[0].Diff, Differentiable::No) << Name;
  // max over a dimension: values carry a gradient, indices none.
  EXPECT_EQ(op("max.dim").Outputs[0].Diff, Differentiable::Yes);
  EXPECT_EQ(op("max.dim").Outputs[1].Diff, Differentiable::No);
}

TEST_P(EveryTable, PartsOfComplexNumbersCarryTheGradient) {
  for (const char *Name : {"imag", "real", "_conj", "view_as_real", "view_as_complex"})
    EXPECT_EQ(op(Name).Outputs.at(0).Diff, Differentiable::Yes) << Name;
}

TEST_P(EveryTable, BatchNormWritesItsStatisticsWithoutTellingTheCounter) {
  const OpFact &Op = op("batch_norm");
  ASSERT_GE(Op.Arguments.size(), 5u);
  for (int I : {3, 4}) {
    EXPECT_TRUE(Op.Arguments[I].WrittenQuietly);
    EXPECT_FALSE(Op.Arguments[I].Bumped);
    EXPECT_FALSE(Op.Arguments[I].Mutated);
  }
}

TEST_P(EveryTable, BatchNormModules) {
  for (const char *Name : {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d"}) {
    const ModuleFact &M = module(Name);
    ASSERT_EQ(M.Parameters.size(), 2u) << Name;
    EXPECT_EQ(M.Parameters[0].Name, "weight");
    EXPECT_EQ(M.Parameters[0].OptionName, "affine");
    EXPECT_TRUE(M.Parameters[0].Default);
    ASSERT_EQ(M.Buffers.size(), 3u) << Name;
    EXPECT_EQ(M.Buffers[0].OptionName, "track_running_stats");
    EXPECT_TRUE(M.WritesBuffersInTraining) << Name;
    EXPECT_FALSE(M.BuffersSavedInEval.empty()) << Name;
    EXPECT_NE(text(M.SavesInTraining).find("0<i0"), std::string::npos) << Name;
  }
  EXPECT_FALSE(module("InstanceNorm2d").Parameters[0].Default);
}

TEST_P(EveryTable, LinearAndConvolutionModules) {
  EXPECT_EQ(text(module("Linear").SavesInTraining), "-1<i0 0<p0");
  EXPECT_EQ(text(module("Conv2d").SavesInTraining), "-2<i0 -2<p0 -1<i0 -1<p0 0<i0 0<p0");
  EXPECT_EQ(module("Conv2d").Parameters[1].OptionName, "bias");
}

TEST_P(EveryTable, DropoutIsTheIdentityInEval) {
  for (const char *Name : {"Dropout", "Dropout2d", "Dropout3d", "AlphaDropout",
                           "FeatureAlphaDropout"}) {
    EXPECT_TRUE(module(Name).IdentityInEval) << Name;
    // The two alpha dropouts have the option and do not heed it.
    bool Alpha = std::string_view(Name).find("Alpha") != std::string_view::npos;
    EXPECT_EQ(module(Name).InPlaceOption, !Alpha) << Name;
    EXPECT_EQ(module(Name).Output, OpFact::Output::Fresh) << Name;
  }
  EXPECT_FALSE(module("ReLU").IdentityInEval);
}

TEST_P(EveryTable, ActivationModules) {
  EXPECT_EQ(text(module("ReLU").SavesInTraining), "0<o0");
  EXPECT_EQ(text(module("ReLU").SavesInPlace), "0<o0");
  EXPECT_EQ(text(module("LeakyReLU").SavesInTraining), "0<i0");
  EXPECT_EQ(text(module("LeakyReLU").SavesInPlace), "0<o0");
  EXPECT_EQ(text(module("Hardtanh").SavesInPlace), "");
  EXPECT_FALSE(module("GELU").InPlaceOption);
}

TEST_P(EveryTable, ModulesThatReturnTheirArgumentOrAViewOfIt) {
  EXPECT_EQ(module("Identity").Output, OpFact::Output::SameAs);
  EXPECT_NE(module("Flatten").Output, OpFact::Output::Fresh);
  EXPECT_EQ(module("Linear").Output, OpFact::Output::Fresh);
}

TEST_P(EveryTable, RecurrentModulesTellTheShapeOfWhatTheyReturn) {
  EXPECT_EQ(module("LSTM").Returns, "(Tensor,(Tensor,Tensor))");
  EXPECT_EQ(module("GRU").Returns, "(Tensor,Tensor)");
  EXPECT_EQ(module("LSTMCell").Returns, "(Tensor,Tensor)");
  EXPECT_EQ(module("MultiheadAttention").Inputs, 3);
}

// What LibTorch changed between versions, so that a table of one version is not that of another.
TEST(BetweenVersions, MeanPoolingSavedItsInputIn1_13) {
  const FactTable &Old = FactTable::forVersion({1, 13, 1}), &New = FactTable::forVersion({2, 15, 0});
  EXPECT_EQ(saves(*Old.op("mean.dim")), "0<i0");
  EXPECT_EQ(saves(*New.op("mean.dim")), "");
}

TEST(BetweenVersions, NamedDimensionsLeftTheCxxInterface) {
  EXPECT_NE(FactTable::forVersion({1, 13, 1}).op("sum.dim_DimnameList"), nullptr);
  EXPECT_EQ(FactTable::forVersion({2, 15, 0}).op("sum.dim_DimnameList"), nullptr);
}

TEST(Speed, ATableIsReadInAFewMilliseconds) {
  // 2.15's is the largest. A generous bound: the machine may be busy, and a quadratic reader would
  // need seconds.
  auto Started = std::chrono::steady_clock::now();
  FactTable::forVersion({2, 15, 0});
  auto Taken = std::chrono::steady_clock::now() - Started;
  EXPECT_LT(std::chrono::duration_cast<std::chrono::milliseconds>(Taken).count(), 200);
}

} // namespace
