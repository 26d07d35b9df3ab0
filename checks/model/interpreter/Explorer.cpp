// Running a root: one path at a time, from the start, under a prefix of decisions.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"

using namespace clang;

namespace torch_tidy::model {

Interpreter::PathResult Interpreter::run(llvm::function_ref<void()> Body, const Path &Prefix,
                                         const std::set<uint32_t> &Repaired) {
  P = ProgramState();
  Torch.S = autograd::State();
  Torch.Repaired = Repaired;
  Repairing = !Repaired.empty();
  if (!Repairing && Prefix.Decisions.empty()) { // a new root
    Torch.forgetReads();
    TemporaryRanges.clear();
    Symbols.clear();
    SymbolKeys.clear();
    Constants.clear();
    PeriodicSymbols.clear();
    InverseContents.clear();
    WasOpen.clear();
  }
  Torch.startRepairs();
  Torch.catchException();
  Handled = {};
  Lives.clear();
  DeepCalls.clear();
  Torch.Frame = nullptr;
  CalledFrom = {};
  Current = nullptr;
  DiscardedExpression = nullptr;
  DroppedFrom = nullptr;
  CallingAt = {};
  Steps = 0;
  CallerObjects = 0;
  ChosenArms = TryDepth = 0;
  SecondRound = false;
  Exploration Top;
  Top.Prefix = Prefix;
  if (Repairing)
    Top.Prefix.Known = nullptr; // of a program with its defects
  Exploring = &Top;
  RegionsCut = NotAllCombinations = false;

  // Where the host does not say where the errors are, there may be holes anywhere.
  Torch.S.OpaqueBackward =
      Options.Errors.empty() && Context.getDiagnostics().hasUncompilableErrorOccurred();

  PathResult R;
  bool Ended = false;
  try {
    Body();
    Ended = true;
  } catch (ProgramException &) {
  } catch (PathEnd &) {
    R.BudgetHit = Steps > Options.StepBudget;
  }
  Current = nullptr;
  Exploring = nullptr;
  Torch.judgeTraining(Ended);
  judgeSelfCopies(Ended);
  // After an exception nobody can say which gradients the rest would have given.
  if (Ended) {
    Torch.finish();
    judgeIdentity();
  }
  R.Reached = Torch.reachedParameters();
  R.Defects = std::move(Torch.S.Defects);
  R.Acquitted = std::move(Torch.S.Acquitted);
  R.ReachedBackward = Torch.S.Backwards > 0;
  R.RegionsCut = RegionsCut;
  R.NotAllCombinations = NotAllCombinations;
  flip(Top, R.Others);
  R.Taken = std::move(Top.Taken);
  Stats.Steps += Steps;
  ++Stats.Runs;
  return R;
}

} // namespace torch_tidy::model
