// The fact tables against the LibTorch that is configured: observe.cpp tells what happens when inputs,
// outputs and parameters are written to between an operation and backward; here it is compared with
// what the table of that version says.
#include "facts/FactTable.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace torch_tidy::facts;

namespace {

using Fields = std::vector<std::string>;

struct Observations {
  Version Of;
  std::vector<Fields> Lines;
  int Status = -1;
};

const Observations &observed() {
  static const Observations All = [] {
    Observations Result;
    std::string Text;
    if (FILE *Pipe = popen(OBSERVE_PROGRAM, "r")) {
      std::array<char, 4096> Buffer;
      while (size_t N = fread(Buffer.data(), 1, Buffer.size(), Pipe))
        Text.append(Buffer.data(), N);
      Result.Status = pclose(Pipe);
    }
    std::istringstream In(Text);
    for (std::string Line; std::getline(In, Line);) {
      Fields F;
      std::istringstream Parts(Line);
      for (std::string Part; std::getline(Parts, Part, '\t');)
        F.push_back(Part);
      if (F[0] == "LibTorch")
        sscanf(F[1].c_str(), "%d.%d.%d", &Result.Of.Major, &Result.Of.Minor, &Result.Of.Patch);
      else
        Result.Lines.push_back(F);
    }
    return Result;
  }();
  return All;
}

class Truth : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(observed().Status, 0) << OBSERVE_PROGRAM << " failed";
    Table = &FactTable::forVersion(observed().Of);
    if (!Table->fits(observed().Of))
      GTEST_SKIP() << "no table of LibTorch " << toString(observed().Of)
                   << ", so nothing to hold against it";
  }
  const FactTable *Table = nullptr;
};

enum class Verdict { Fine, Throws, Either };

/// What the rules say of writing to value (What, Index): saved, not saved, or saved at times. Aliases
/// of one counter (an in-place result and its argument, a view and its base) are one value.
Verdict predict(const std::vector<Saved> &Saves, int GradientOf,
                const std::set<std::pair<Saved::Kind, int>> &Aliases) {
  Verdict Result = Verdict::Fine;
  for (const Saved &S : Saves)
    if (S.GradientOf == GradientOf && Aliases.count({S.What, S.Index})) {
      if (S.Always)
        return Verdict::Throws;
      Result = Verdict::Either;
    }
  return Result;
}

void expect(Verdict Predicted, const std::string &Seen, const std::string &Where) {
  if (Predicted != Verdict::Either)
    EXPECT_EQ(Predicted == Verdict::Throws ? "throws" : "fine", Seen) << Where;
}

std::string where(const Fields &F) {
  std::string Text;
  for (const std::string &Part : F)
    Text += Part + " ";
  return Text;
}

Saved::Kind kind(const std::string &Letter) {
  return Letter == "i" ? Saved::Input : Letter == "o" ? Saved::Output : Saved::Parameter;
}

/// The operator's argument that the program's n-th tensor is: it passes them in order.
int argument(const OpFact &Op, int Tensor) {
  for (int A = 0; A < static_cast<int>(Op.Arguments.size()); ++A)
    if (Op.Arguments[A].Type.substr(0, 6) == "Tensor" && Tensor-- == 0)
      return A;
  return -1;
}

TEST_F(Truth, BackwardThrowsWhereTheTableSaysThatTheValueIsSaved) {
  size_t Compared = 0;
  for (const Fields &F : observed().Lines) {
    if (F[0] != "op")
      continue;
    const OpFact *Op = Table->op(F[1]);
    ASSERT_NE(Op, nullptr) << F[1];
    EXPECT_TRUE(Op->Known) << F[1];
    int Index = F[3] == "i" ? argument(*Op, std::stoi(F[4])) : std::stoi(F[4]);
    std::set<std::pair<Saved::Kind, int>> Aliases = {{kind(F[3]), Index}};
    for (int O = 0; O < static_cast<int>(Op->Outputs.size()); ++O) {
      const OpFact::Output &Out = Op->Outputs[O];
      bool Shares = Out.Kind == OpFact::Output::SameAs || Out.Kind == OpFact::Output::ViewOf;
      if (!Shares || Out.OwnCounter)
        continue;
      if (Aliases.count({Saved::Input, Out.Argument}) || Aliases.count({Saved::Output, O})) {
        Aliases.insert({Saved::Input, Out.Argument});
        Aliases.insert({Saved::Output, O});
      }
    }
    expect(predict(Op->Saves, argument(*Op, std::stoi(F[2])), Aliases), F[5], where(F));
    ++Compared;
  }
  EXPECT_GT(Compared, 200u);
}

TEST_F(Truth, OutputsRelateToArgumentsAndCarryGradientsAsTheTableSays) {
  size_t Compared = 0;
  for (const Fields &F : observed().Lines) {
    if (F[0] != "out")
      continue;
    const OpFact *Op = Table->op(F[1]);
    ASSERT_NE(Op, nullptr) << F[1];
    const OpFact::Output &Out = Op->Outputs.at(std::stoul(F[2]));
    static const std::map<std::string, OpFact::Output::Relation> Kinds = {
        {"same", OpFact::Output::SameAs},
        {"view", OpFact::Output::ViewOf},
        {"fresh", OpFact::Output::Fresh}};
    if (Out.Kind != OpFact::Output::MaybeView) {
      EXPECT_EQ(Out.Kind, Kinds.at(F[3])) << where(F);
      int Seen = std::stoi(F[4]);
      EXPECT_EQ(Out.Argument, Seen < 0 ? -1 : argument(*Op, Seen)) << where(F);
    }
    EXPECT_EQ(Out.Diff == Differentiable::Yes    ? "yes"
              : Out.Diff == Differentiable::Zero ? "zero"
                                                 : "no",
              F[5])
        << where(F);
    ++Compared;
  }
  EXPECT_GT(Compared, 70u);
}

TEST_F(Truth, ModulesSaveWhatTheTableSays) {
  size_t Compared = 0;
  for (const Fields &F : observed().Lines) {
    if (F[0] != "nn")
      continue;
    const ModuleFact *M = Table->module(F[1]);
    ASSERT_NE(M, nullptr) << F[1];
    const auto &Saves = F[2] == "train"  ? M->SavesInTraining
                        : F[2] == "eval" ? M->SavesInEval
                                         : M->SavesInPlace;
    std::set<std::pair<Saved::Kind, int>> Aliases = {{kind(F[4]), std::stoi(F[5])}};
    if (F[2] == "inplace" && F[5] == "0")
      Aliases = {{Saved::Input, 0}, {Saved::Output, 0}};
    expect(predict(Saves, std::stoi(F[3]), Aliases), F[6], where(F));
    ++Compared;
  }
  EXPECT_GT(Compared, 200u);
}

TEST_F(Truth, ModulesWriteInPlaceWhereTheTableSaysThatTheirOptionDoes) {
  size_t InPlace = 0;
  for (const Fields &F : observed().Lines) {
    if (F[0] != "writes")
      continue;
    const ModuleFact *M = Table->module(F[1]);
    ASSERT_NE(M, nullptr) << F[1];
    EXPECT_EQ(F[3] == "yes", F[2] == "inplace" && M->InPlaceOption) << where(F);
    InPlace += F[2] == "inplace";
  }
  EXPECT_GT(InPlace, 10u);
}

} // namespace
