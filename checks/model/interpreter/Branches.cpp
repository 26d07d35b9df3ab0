// Decisions. See Note [A fork must earn its path].
#include "interpreter/Interpreter.h"

using namespace clang;

namespace torch_tidy::model {

std::optional<bool> Interpreter::known(const Value &V) const {
  switch (V.K) {
  case Value::Integer:
    return V.I != 0;
  case Value::Floating:
    return V.D != 0;
  case Value::Null:
    return false;
  case Value::Object:
  case Value::Pointer:
  case Value::Function:
  case Value::RawData:
    return true;
  case Value::Tensor: // a condition on a tensor reads its one element
    return std::nullopt;
  case Value::Unknown:
    break;
  }
  if (V.Symbol)
    if (auto It = P.Assumed.find(V.Symbol); It != P.Assumed.end())
      return It->second != V.Negated;
  return std::nullopt;
}

/// Takes a decision: as the prefix says, else the first side that was never taken. The same
/// condition decides the same way twice on one path.
bool Interpreter::decide(const Value &V, const void *Where) {
  if (std::optional<bool> B = known(V))
    return *B;
  if (Speculating)
    throw ForkNeeded();
  bool B = Decisions.size() < Prefix.size() ? Prefix[Decisions.size()] : true;
  constexpr size_t MostDecisions = 200;
  if (Decisions.size() >= MostDecisions)
    throw PathEnd();
  Decisions.push_back(B);
  ++(PeriodicSymbols.count(V.Symbol) ? Torch.S.PeriodicDecisions : Torch.S.Decisions);
  if (V.Symbol)
    P.Assumed[V.Symbol] = B != V.Negated;
  (void)Where;
  return B;
}

ProgramState Interpreter::snapshot() const {
  ProgramState S = P;
  S.Torch = Torch.S;
  return S;
}

void Interpreter::restore(const ProgramState &Saved) {
  P = Saved;
  Torch.S = Saved.Torch;
  P.Torch = {};
}

/// Note [A fork must earn its path]
/// Paths are the scaling problem: nearly every branch of a training program is about options,
/// files, logging. So both arms of an undecided branch are run from a copy of the state, and what
/// they did is compared. Where neither touched what autograd tracks (no tape node, no write to a
/// tensor with a history or a saved content, no guard, no gradient, no module) and what they left
/// in variables can be joined, the program goes on with one state: unequal numbers become unknown
/// ones. An arm without such effects that leaves the function, the loop or the program by an early
/// exit is passed over, because all it does is to do less. Only otherwise the path forks, by
/// replaying the program with the other decision.
Interpreter::Flow Interpreter::branch(const Value &Condition, const void *Where,
                                      llvm::function_ref<Flow()> Then,
                                      llvm::function_ref<Flow()> Else) {
  struct Chosen {
    unsigned &Count;
    bool On;
    ~Chosen() { Count -= On; }
  };
  if (std::optional<bool> B = known(Condition)) {
    Chosen Guard{ChosenArms, Condition.K == Value::Unknown};
    ChosenArms += Guard.On;
    return *B ? Then() : Else();
  }
  Chosen Guard{ChosenArms, true};
  ++ChosenArms;

  auto RunArm = [&](bool Side) {
    if (Condition.Symbol)
      P.Assumed[Condition.Symbol] = Side != Condition.Negated;
    ++UndecidedArms;
    Flow F = Side ? Then() : Else();
    --UndecidedArms;
    return F;
  };
  if (!Forks.count(Where)) {
    const ProgramState Before = snapshot();
    Frame *SavedFrame = Current;
    const size_t SavedLives = Lives.size(), SavedStack = Stack.size();
    const unsigned SavedArms = UndecidedArms, SavedTry = TryDepth;
    const CellId SavedResult = Current ? Current->Result : CellId();
    auto Reset = [&] {
      restore(Before);
      Current = SavedFrame;
      if (Current)
        Current->Result = SavedResult;
      Lives.resize(SavedLives);
      Stack.resize(SavedStack);
      UndecidedArms = SavedArms;
      TryDepth = SavedTry;
      Torch.catchException();
    };
    struct Arm {
      Flow Out = Flow::Normal;
      bool Left = false; ///< by an exception or exit
      bool Effects = false;
      CellId Result;
      ProgramState After;
    } Arms[2];
    bool Fork = false;
    ++Speculating;
    for (bool Side : {true, false}) {
      Arm &A = Arms[Side];
      try {
        A.Out = RunArm(Side);
      } catch (ProgramException &) {
        A.Left = true;
      } catch (ForkNeeded &) {
        Fork = true;
      } catch (PathEnd &) {
        if (Steps > Options.StepBudget) {
          --Speculating;
          throw;
        }
        A.Left = true;
      }
      A.Result = Current == SavedFrame && Current ? Current->Result : CellId();
      A.After = snapshot();
      A.Effects = A.After.Torch.Effects != Before.Torch.Effects ||
                  A.After.Torch.GradMode != Before.Torch.GradMode ||
                  A.After.Torch.InferenceMode != Before.Torch.InferenceMode ||
                  A.After.Torch.Autocast != Before.Torch.Autocast;
      Reset();
      if (Fork)
        break;
    }
    --Speculating;
    if (!Fork) {
      auto Continue = [&](const Arm &A) {
        restore(A.After);
        if (Current)
          Current->Result = A.Result;
        if (Condition.Symbol && !Arms[0].Left && !Arms[1].Left)
          P.Assumed.erase(Condition.Symbol);
        return A.Out;
      };
      // An arm that exits early without effects does less than the other: pass it over.
      // What a function returns early is passed over too where it is a number: the result is then
      // any number.
      bool Root = !Current || !Current->Caller;
      bool Number = Current && Current->Function &&
                    (Current->Function->getReturnType()->isScalarType() ||
                     Current->Function->getReturnType()->isVoidType()) &&
                    !Current->Function->getReturnType()->isPointerType();
      auto Skips = [&](const Arm &A) {
        return !A.Effects && (A.Left || A.Out == Flow::Break || A.Out == Flow::Continue ||
                              (A.Out == Flow::Return && (Root || Number)));
      };
      for (bool Side : {true, false})
        if (Skips(Arms[Side]) && !Skips(Arms[!Side]) && !Arms[!Side].Left &&
            (Arms[!Side].Out == Flow::Normal || Arms[Side].Left || Root || Number)) {
          // The condition is known from here on, but the rest is not conditional in the sense of
          // certainty: all that reaches backward comes this way.
          const Arm &Go = Arms[!Side];
          if (Go.Effects)
            continue; // its own effects depend on the condition: decided below
          bool Early = Arms[Side].Out == Flow::Return && !Arms[Side].Left;
          Flow F = Continue(Go);
          if (Early && Current)
            Current->ResultUnknown = true;
          if (Condition.Symbol)
            P.Assumed[Condition.Symbol] = !Side != Condition.Negated;
          return F;
        }
      if (!Arms[0].Left && !Arms[1].Left && Arms[0].Out == Arms[1].Out && !Arms[0].Effects &&
          !Arms[1].Effects && (Arms[0].Out != Flow::Return || Number) &&
          mergeable(Before, Arms[0].After, Arms[1].After)) {
        Flow F = Continue(Arms[1]);
        if (F == Flow::Return && Current)
          Current->ResultUnknown = true;
        mergeInto(Before, Arms[0].After);
        return F;
      }
    }
    if (Speculating)
      throw ForkNeeded();
    Forks.insert(Where);
  }
  bool Side = decide(Condition, Where);
  return RunArm(Side);
}

namespace {

enum class Joined { Same, Unknown, Conflict };

/// Whether two values of one variable can go on as one.
Joined join(const Value &X, const Value &Y, const autograd::State &SX, const autograd::State &SY) {
  if (X.K == Value::Tensor && Y.K == Value::Tensor) {
    if (X.T.T == Y.T.T && X.T.T)
      return Joined::Same;
    if (!X.T.T || !Y.T.T)
      return X.T.T == Y.T.T ? Joined::Same : Joined::Conflict;
    const autograd::Tensor &A = SX.Tensors[X.T.T], &B = SY.Tensors[Y.T.T];
    auto Plain = [](const autograd::Tensor &T, const autograd::State &S) {
      return !T.LeafRequiresGrad && !T.History && !T.IsParameter &&
             (!T.Depends || T.Depends->empty()) && T.Through == autograd::Alias::None &&
             !S.Storages[T.Memory].Saved;
    };
    return Plain(A, SX) && Plain(B, SY) && A.Untracked == B.Untracked ? Joined::Same
                                                                      : Joined::Conflict;
  }
  auto Number = [](const Value &V) {
    return V.K == Value::Unknown || V.K == Value::Integer || V.K == Value::Floating;
  };
  if (X.K == Y.K) {
    switch (X.K) {
    case Value::Integer:
      return X.I == Y.I ? Joined::Same : Joined::Unknown;
    case Value::Floating:
      return X.D == Y.D ? Joined::Same : Joined::Unknown;
    case Value::Null:
      return Joined::Same;
    case Value::Object:
      return X.O == Y.O ? Joined::Same : Joined::Conflict;
    case Value::Pointer:
      return X.C == Y.C ? Joined::Same : Joined::Conflict;
    case Value::Function:
      return X.F == Y.F ? Joined::Same : Joined::Conflict;
    case Value::RawData:
      return X.T.T == Y.T.T ? Joined::Same : Joined::Conflict;
    case Value::Unknown:
      return X.Symbol == Y.Symbol && X.Negated == Y.Negated && X.T.T == Y.T.T ? Joined::Same
                                                                             : Joined::Unknown;
    case Value::Tensor:
      break;
    }
  }
  return Number(X) && Number(Y) ? Joined::Unknown : Joined::Conflict;
}

bool sameShape(const Object &A, const Object &B) {
  return A.K == B.K && A.Elements == B.Elements && A.Dead == B.Dead && A.Held == B.Held &&
         A.Parameters == B.Parameters && A.Buffers == B.Buffers &&
         A.Children.size() == B.Children.size() && A.Training == B.Training &&
         // Members of what comes from outside appear as they are asked for.
         (A.Fields.size() == B.Fields.size() || (A.External && B.External));
}

/// A container that both arms may have left different, but that holds nothing of interest.
bool holdsNumbersOnly(const Object &O, const ProgramState &S) {
  if (O.K != Object::Sequence && O.K != Object::Map && O.K != Object::Options)
    return false;
  for (CellId C : O.Elements) {
    const Value &V = S.Cells[C];
    if (V.K != Value::Unknown && V.K != Value::Integer && V.K != Value::Floating)
      return false;
  }
  return true;
}

} // namespace

bool Interpreter::mergeable(const ProgramState &Before, const ProgramState &A,
                            const ProgramState &B) const {
  bool Ok = A.Globals.size() == B.Globals.size();
  decltype(A.Cells)::forEachPossiblyDifferent(
      A.Cells, B.Cells, Before.Cells.size(), [&](CellId C) {
        if (Ok && join(A.Cells[C], B.Cells[C], A.Torch, B.Torch) == Joined::Conflict)
          Ok = false;
      });
  decltype(A.Objects)::forEachPossiblyDifferent(
      A.Objects, B.Objects, Before.Objects.size(), [&](ObjectId O) {
        if (Ok && !sameShape(A.Objects[O], B.Objects[O]) &&
            !(holdsNumbersOnly(A.Objects[O], A) && holdsNumbersOnly(B.Objects[O], B)))
          Ok = false;
      });
  return Ok;
}

/// The current state is one arm's end; joins the other arm's into it.
void Interpreter::mergeInto(const ProgramState &Before, const ProgramState &Other) {
  std::vector<CellId> Unequal;
  decltype(P.Cells)::forEachPossiblyDifferent(
      P.Cells, Other.Cells, Before.Cells.size(), [&](CellId C) {
        if (join(P.Cells[C], Other.Cells[C], Torch.S, Other.Torch) == Joined::Unknown)
          Unequal.push_back(C);
      });
  for (CellId C : Unequal)
    set(C, fresh());
  std::vector<ObjectId> Containers;
  decltype(P.Objects)::forEachPossiblyDifferent(
      P.Objects, Other.Objects, Before.Objects.size(), [&](ObjectId O) {
        if (!sameShape(P.Objects[O], Other.Objects[O]))
          Containers.push_back(O);
      });
  for (ObjectId O : Containers)
    P.Objects.edit(O).Open = true;
  P.FreshSymbols = std::max(P.FreshSymbols, Other.FreshSymbols);
}

} // namespace torch_tidy::model
