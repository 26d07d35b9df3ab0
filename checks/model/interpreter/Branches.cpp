// Decisions. See Note [A fork must earn its path].
#include "interpreter/Interpreter.h"
#include "interpreter/joining/Join.h"

#include <algorithm>
#include <deque>

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

/// Takes note of what a number that is known decides. See Note [Loops].
void Interpreter::noteForced(const Value &V, const void *Where) {
  if (!V.isKnownNumber())
    return;
  ++Forced;
  Hidden += WasOpen.count(Where);
}

/// Takes a decision: as the prefix says, else the first way. The same condition decides the same
/// way twice on one path.
bool Interpreter::decide(const Value &V, const void *Where) {
  if (std::optional<bool> B = known(V)) {
    noteForced(V, Where);
    return *B;
  }
  WasOpen.insert(Where);
  return takeSide(V, Where);
}

bool Interpreter::takeSide(const Value &V, const void *Where) {
  bool B = choose(Where, Exploring->Regions++, 2, extent()) == 0;
  ++(PeriodicSymbols.count(V.Symbol) ? Torch.S.PeriodicDecisions : Torch.S.Decisions);
  if (V.Symbol)
    P.Assumed[V.Symbol] = B != V.Negated;
  return B;
}

Extent Interpreter::extent() const {
  const autograd::State &T = Torch.S;
  return {P.Cells.size(),    P.Objects.size(),  T.Tensors.size(), T.Storages.size(),
          T.Counters.size(), T.Families.size(), T.Nodes.size()};
}

unsigned Interpreter::choose(const void *Where, unsigned Number, unsigned Ways, const Extent &At) {
  Exploration &E = *Exploring;
  constexpr size_t MostDecisions = 200;
  if (E.Taken.size() >= MostDecisions)
    throw PathEnd();
  Decision D{Where, Number, 0, Ways, At};
  // A run in which a defect is repaired may meet other decisions than the prefix was made for.
  const std::vector<Decision> &Prefix = E.Prefix.Decisions;
  for (size_t I = E.Next; I < Prefix.size(); ++I)
    if (Prefix[I].Where == Where && (Repairing || Prefix[I].Number == Number)) {
      D.Choice = std::min(Prefix[I].Choice, Ways - 1);
      E.Next = I + 1;
      break;
    }
  E.Taken.push_back(D);
  return D.Choice;
}

/// The paths that differ from a path just run in one decision, taken after the prefix.
void Interpreter::flip(Exploration &E, std::deque<Path> &Work) {
  auto Known = std::make_shared<const std::vector<std::shared_ptr<const RegionResult>>>(
      std::move(E.Seen));
  E.Seen.clear();
  for (size_t I = E.Prefix.Decisions.size(); I < E.Taken.size(); ++I)
    for (unsigned Other = 0; Other < E.Taken[I].Ways; ++Other) {
      if (Other == E.Taken[I].Choice)
        continue;
      Path Next;
      Next.Decisions.assign(E.Taken.begin(), E.Taken.begin() + static_cast<ptrdiff_t>(I) + 1);
      Next.Decisions.back().Choice = Other;
      Next.Known = Known;
      Work.push_back(std::move(Next));
    }
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

/// How one way through a region ended.
struct Interpreter::End {
  Flow Out = Flow::Normal;
  enum { Not, Exception, Program } Left = Not;
  ProgramException Thrown;
  bool Effects = false;
  bool ResultUnknown = false;
  CellId Result;
  std::vector<Decision> Way;
  ProgramState After;
  std::shared_ptr<const Reachable> Reach; ///< made when it is asked for
};

/// What was found out about one region of a program: the ends that cannot be joined.
struct RegionResult {
  const void *Where;
  unsigned Number, NextNumber; ///< among those of the run, and of what follows
  Extent At;
  std::vector<Interpreter::End> Ends;
};

/// What the interpreter itself holds while it runs a region of the program.
struct Interpreter::Checkpoint {
  Interpreter &I;
  Frame *SavedFrame = I.Current;
  size_t Lives = I.Lives.size();
  unsigned Try = I.TryDepth;
  CellId Result = I.Current ? I.Current->Result : CellId();
  bool ResultUnknown = I.Current && I.Current->ResultUnknown;
  const Expr *Discarded = I.DiscardedExpression;
  Exploration *Outer = I.Exploring;

  /// The program left the region by an exception.
  void leaveScopes() const {
    I.Current = SavedFrame;
    I.Torch.catchException();
    try {
      I.unwind(Lives);
    } catch (ProgramException &) {
    } catch (PathEnd &) {
    }
    unwind();
  }
  void unwind() const {
    I.Exploring = Outer;
    I.Current = SavedFrame;
    I.Lives.resize(std::min(I.Lives.size(), Lives));
    I.TryDepth = Try;
    I.DiscardedExpression = Discarded;
    I.Torch.catchException();
  }
  void rewind(const ProgramState &Before) const {
    unwind();
    I.restore(Before);
    if (!I.Current)
      return;
    I.Current->Result = Result;
    I.Current->ResultUnknown = ResultUnknown;
    // Variables of scopes inside the region.
    auto &Variables = I.Current->Variables;
    for (auto It = Variables.begin(); It != Variables.end(); ++It)
      if (It->second.Value >= Before.Cells.size())
        Variables.erase(It);
  }
};

/// Note [A fork must earn its path]
/// Paths are the scaling problem: nearly every branch of a training program is about options,
/// files, drawing, logging. So a path is not forked where a decision is met, but where the program
/// cannot go on as one. The regions of a program (an `if`, the round of a loop, a loop, a function)
/// are run in every way that their own decisions allow, each from a copy of the state, and their
/// ends are compared: see Note [Joining]. Ends that nothing later can tell apart go on as one
/// state. Ends that differ are handed to the region around, which thereby has a decision of its
/// own, and joins again at its end, when what made the difference may have gone out of scope. What
/// reaches the root undecided forks the path: the root is run again with the other decision. A
/// program that is run again comes to the same states until it takes that decision, so the regions
/// before it are not run a second time: their ends were kept.
///
/// Two things are given up on purpose. An early exit without effects does less than the rest of
/// the region and is passed over; so is a way that ends the program by an exception or exit(),
/// after what it found out was written down.
Interpreter::Flow Interpreter::explore(const void *Where, Region Kind,
                                       llvm::function_ref<Flow()> Body) {
  const unsigned Number = Exploring->Regions++;
  if (const RegionResult *R = recall(Where, Number))
    return proceed(*R, Where, Number);
  const Checkpoint Here{*this};
  const ProgramState Before = snapshot();
  const Extent Start = extent();
  const unsigned long StepsBefore = Steps;
  Exploration Inner;
  std::deque<Path> Work(1);
  SidesTaken Sides;
  std::vector<End> Ends;
  const size_t MostEnds = Options.RegionBudget;
  auto Finish = [&](End &X) {
    if (Kind == Region::Round && X.Out == Flow::Continue)
      X.Out = Flow::Normal;
    if (Kind == Region::Function)
      X.Out = Flow::Return;
    if (Current == Here.SavedFrame && Current) {
      X.Result = Current->Result;
      X.ResultUnknown = Current->ResultUnknown;
    }
    X.Effects = Torch.S.Effects != Before.Torch.Effects ||
                Torch.S.GradMode != Before.Torch.GradMode ||
                Torch.S.InferenceMode != Before.Torch.InferenceMode ||
                Torch.S.Autocast != Before.Torch.Autocast;
    X.After = snapshot();
  };
  while (!Work.empty()) {
    Inner.Prefix = std::move(Work.front());
    Work.pop_front();
    // Each way of a region costs; the path as a whole must get through.
    constexpr size_t MostCombinations = 4;
    if (Sides.isCombination(Inner.Prefix) && Ends.size() >= MostCombinations) {
      NotAllCombinations = true;
      continue;
    }
    if (Ends.size() >= MostEnds || (!Ends.empty() && Steps > Options.StepBudget / 4 * 3)) {
      RegionsCut = true;
      break;
    }
    Inner.Taken.clear();
    Inner.Seen.clear();
    Inner.Next = Inner.Regions = 0;
    Exploring = &Inner;
    End X;
    try {
      X.Out = Body();
    } catch (ProgramException &E) {
      X.Left = End::Exception;
      X.Thrown = E;
    } catch (PathEnd &) {
      X.Left = End::Program;
    }
    if (X.Left != End::Not)
      Here.leaveScopes();
    Exploring = Here.Outer;
    if (Steps > Options.StepBudget)
      throw PathEnd();
    if (Inner.Taken.empty()) { // no decision in here
      constexpr unsigned long WorthKeeping = 300;
      if (Steps - StepsBefore > WorthKeeping) {
        Finish(X);
        auto Kept = std::make_shared<RegionResult>(RegionResult{Where, Number, Number + 1, {}, {}});
        Kept->Ends.push_back(X);
        Exploring->Seen.push_back(std::move(Kept));
      }
      return leave(X);
    }
    X.Way = Inner.Taken;
    Sides.note(Inner.Taken);
    flip(Inner, Work);
    Finish(X);
    Ends.push_back(std::move(X));
    Here.rewind(Before);
  }

  passOver(Ends, Before, Kind);
  join(Ends, Before, Where, Kind);
  if (Kind == Region::Branch &&
      (Ends.size() > 1 || llvm::any_of(Ends, [](const End &X) { return X.Effects; })))
    WasOpen.insert(Where);
  if (Ends.size() == 1) { // nothing was decided after all
    Ends[0].After.Torch.Decisions = Before.Torch.Decisions;
    Ends[0].After.Torch.PeriodicDecisions = Before.Torch.PeriodicDecisions;
  }
  auto Result = std::make_shared<const RegionResult>(RegionResult{Where, Number, Number + 1, Start, std::move(Ends)});
  Exploring->Seen.push_back(Result);
  return proceed(*Result, Where, Number);
}

/// A piece of a program without decisions of its own, which need not be run again either.
void Interpreter::remember(const void *Where, llvm::function_ref<void()> Body) {
  const unsigned Number = Exploring->Regions++;
  if (const RegionResult *R = recall(Where, Number)) {
    proceed(*R, Where, Number);
    Exploring->Regions = R->NextNumber;
    return;
  }
  Exploration &Here = *Exploring;
  const size_t Decisions = Here.Taken.size(), Seen = Here.Seen.size();
  const unsigned long StepsBefore = Steps;
  const uint32_t TensorsBefore = Torch.S.Tensors.size();
  Body();
  constexpr unsigned long WorthKeeping = 200;
  constexpr uint32_t TensorsWorthKeeping = 20;
  if (Here.Taken.size() != Decisions || (Steps - StepsBefore < WorthKeeping &&
                                         Torch.S.Tensors.size() - TensorsBefore < TensorsWorthKeeping))
    return;
  Here.Seen.resize(Seen); // what was met inside
  End X;
  X.Result = Current->Result;
  X.ResultUnknown = Current->ResultUnknown;
  X.After = snapshot();
  auto Kept = std::make_shared<RegionResult>(RegionResult{Where, Number, Here.Regions, {}, {}});
  Kept->Ends.push_back(std::move(X));
  Here.Seen.push_back(std::move(Kept));
}

/// What an earlier run that came to the same state found out about a region.
const RegionResult *Interpreter::recall(const void *Where, unsigned Number) {
  const Path &Prefix = Exploring->Prefix;
  if (!Prefix.Known || Number > Prefix.Decisions.back().Number)
    return nullptr;
  auto It = std::lower_bound(Prefix.Known->begin(), Prefix.Known->end(), Number,
                             [](const auto &R, unsigned N) { return R->Number < N; });
  if (It == Prefix.Known->end() || (*It)->Number != Number || (*It)->Where != Where)
    return nullptr;
  Exploring->Seen.push_back(*It);
  return It->get();
}

/// Goes on behind a region that was explored.
Interpreter::Flow Interpreter::proceed(const RegionResult &R, const void *Where, unsigned Number) {
  const End &Go = R.Ends[R.Ends.size() > 1
                             ? choose(Where, Number, static_cast<unsigned>(R.Ends.size()), R.At)
                             : 0];
  restore(Go.After);
  if (Current) {
    Current->Result = Go.Result;
    Current->ResultUnknown = Go.ResultUnknown;
  }
  return leave(Go);
}

Interpreter::Flow Interpreter::leave(const End &X) {
  if (X.Left == End::Exception)
    throw X.Thrown;
  if (X.Left == End::Program)
    throw PathEnd();
  return X.Out;
}

/// Drops ends that do less than others. What a function returns early without effects is passed
/// over too where it is a number: the result is then any number. One that leaves a mode switched
/// that the function has switched does not do less: the rest may switch it back.
void Interpreter::passOver(std::vector<End> &Ends, const ProgramState &Before, Region Kind) {
  bool Root = !Current || !Current->Caller;
  bool Number = Current && Current->Function &&
                (Current->Function->getReturnType()->isScalarType() ||
                 Current->Function->getReturnType()->isVoidType()) &&
                !Current->Function->getReturnType()->isPointerType();
  auto Skips = [&](const End &X) {
    if (X.Left != End::Not)
      return TryDepth == 0 || !X.Effects;
    bool Owes = X.Out == Flow::Return && Current &&
                ((X.After.Torch.GradModeOffForGood && !Current->OffForGood) ||
                 X.After.InEval > Current->InEval);
    return Kind == Region::Branch && !X.Effects && !Owes &&
           (X.Out == Flow::Break || X.Out == Flow::Continue ||
            (X.Out == Flow::Return && (Root || Number)));
  };
  std::vector<End> Kept;
  bool Returns = false, Effects = false, EarlyExit = false;
  for (const End &X : Ends)
    if (!Skips(X)) {
      Kept.push_back(X);
      Effects |= X.Effects;
    } else {
      EarlyExit |= X.Left == End::Not;
      Returns |= X.Left == End::Not && X.Out == Flow::Return;
    }
  if (Kept.empty() || Kept.size() == Ends.size())
    return;
  if (EarlyExit && Effects) {
    // The effects depend on the condition: only what leaves the program is passed over.
    Kept.clear();
    for (const End &X : Ends)
      if (X.Left == End::Not || !Skips(X))
        Kept.push_back(X);
    Returns = false;
    if (Kept.empty() || Kept.size() == Ends.size())
      return;
  }
  for (const End &X : Ends)
    if (X.Left != End::Not && Skips(X))
      for (End &K : Kept) {
        Joiner::addDefects(K.After.Torch, X.After.Torch, Before.Torch.Defects.size());
        K.After.Torch.Backwards = std::max(K.After.Torch.Backwards, X.After.Torch.Backwards);
      }
  if (Returns)
    for (End &K : Kept)
      K.ResultUnknown = true;
  Ends = std::move(Kept);
}

const Liveness &Interpreter::livenessOf(const FunctionDecl *F) {
  auto It = Livenesses.find(F);
  if (It == Livenesses.end())
    It = Livenesses.try_emplace(F, F, IsValueRead, IsReplacement).first;
  return It->second;
}

/// What the program can come across that goes on behind a region. A cell can have several names, in
/// several functions: it lives as long as one of them does.
Roots Interpreter::rootsAfter(const void *Where, Region Kind, Flow Out) {
  llvm::DenseMap<uint32_t, Liveness::Use> Uses;
  Roots R;
  for (Frame *F = Current; F; F = F->Caller) {
    const Liveness *L = F->Function && F->Function->hasBody() ? &livenessOf(F->Function) : nullptr;
    const auto *S = static_cast<const Stmt *>(Where);
    // The region ends here; functions further out are in the middle of a statement.
    bool Behind = F == Current && L && Kind != Region::Function && L->knows(S);
    bool Returned = F == Current && Out == Flow::Return;
    for (const auto &[V, C] : F->Variables) {
      Liveness::Use U = Liveness::Use::Any;
      if (Returned)
        U = Liveness::Use::None;
      else if (L && F->At)
        U = Behind ? L->afterwards(S, V) : L->during(F->At, V);
      auto [It, New] = Uses.insert({C.Value, U});
      if (!New)
        It->second = std::max(It->second, U);
    }
    R.Held.push_back(F->This);
    if (F->Result && F != Current)
      R.Live.push_back(F->Result);
  }
  for (const Live &L : Lives)
    if (needsDestruction(L.Type))
      Uses[L.Where.Value] = Liveness::Use::Any;
  for (const auto &[C, U] : Uses)
    (U == Liveness::Use::Any     ? R.Live
     : U == Liveness::Use::Value ? R.Values
                                 : R.Dead)
        .push_back(CellId{C});
  return R;
}

/// What there was when two ways of a region parted.
static Extent parting(const std::vector<Decision> &X, const std::vector<Decision> &Y) {
  size_t I = 0;
  while (I + 1 < X.size() && I + 1 < Y.size() && X[I].Where == Y[I].Where &&
         X[I].Number == Y[I].Number && X[I].Choice == Y[I].Choice)
    ++I;
  return X[I].At;
}

/// Leaves one end per class of ends that can go on as one.
void Interpreter::join(std::vector<End> &Ends, const ProgramState &Before, const void *Where,
                       Region Kind) {
  if (Ends.size() < 2)
    return;
  // Who did most stands for the others, and is followed first.
  std::stable_sort(Ends.begin(), Ends.end(), [](const End &X, const End &Y) {
    if (X.Left != Y.Left)
      return X.Left < Y.Left;
    return X.Effects != Y.Effects ? X.Effects > Y.Effects
                                  : X.After.Torch.Clock > Y.After.Torch.Clock;
  });
  auto ReachOf = [&](End &X) -> const Reachable & {
    if (!X.Reach)
      X.Reach = std::make_shared<const Reachable>(X.After, rootsAfter(Where, Kind, X.Out));
    return *X.Reach;
  };
  std::vector<End> Joined;
  for (End &X : Ends) {
    bool Found = false;
    for (size_t I = 0; I < Joined.size() && !Found; ++I) {
      End &A = Joined[I];
      if (A.Left != X.Left || (A.Left == End::Not && A.Out != X.Out))
        continue;
      if (A.Left == End::Exception && TryDepth > 0 &&
          (A.Thrown.Kind != X.Thrown.Kind || A.Thrown.Type != X.Thrown.Type))
        continue; // another handler may take it
      if (A.Left != End::Not && TryDepth == 0) {
        Joiner::mergeDefects(A.After.Torch, X.After.Torch, Before.Torch.Defects.size());
      } else {
        bool Returns = A.Left == End::Not && A.Out == Flow::Return;
        auto ReachA = [&]() -> const Reachable & { return ReachOf(A); };
        auto ReachX = [&]() -> const Reachable & { return ReachOf(X); };
        const Extent Common = parting(A.Way, X.Way);
        Joiner J(Before, Common, A.After, ReachA, X.After, ReachX);
        Joiner K(Before, Common, X.After, ReachX, A.After, ReachA);
        auto Apply = [&](const Joiner &J, End &To) {
          ProgramState S = To.After;
          J.apply(S, [](ProgramState &S) { return fresh(S); });
          To.After = std::move(S);
        };
        if (J.joinable(Returns ? A.Result : CellId(), Returns ? X.Result : CellId())) {
          Apply(J, A);
          A.Effects |= X.Effects;
        } else if (A.Effects && X.Effects && // the other may have done more
                   K.joinable(Returns ? X.Result : CellId(), Returns ? A.Result : CellId())) {
          Apply(K, X);
          X.ResultUnknown |= A.ResultUnknown;
          A = std::move(X);
          Found = true;
          continue;
        } else {
          continue;
        }
      }
      A.ResultUnknown |= X.ResultUnknown;
      Found = true;
    }
    if (!Found)
      Joined.push_back(std::move(X));
  }
  for (End &X : Joined)
    X.Reach = nullptr;
  Ends = std::move(Joined);
}

Interpreter::Flow Interpreter::branch(const Value &Condition, const void *Where,
                                      llvm::function_ref<Flow()> Then,
                                      llvm::function_ref<Flow()> Else) {
  struct Chosen {
    unsigned &Count;
    bool On;
    ~Chosen() { Count -= On; }
  };
  std::optional<bool> B = known(Condition);
  Chosen Guard{ChosenArms, !B || Condition.K == Value::Unknown};
  ChosenArms += Guard.On;
  if (B) {
    noteForced(Condition, Where);
    return *B ? Then() : Else();
  }
  return explore(Where, Region::Branch, [&] {
    bool Side = takeSide(Condition, Where);
    const uint32_t Outer = std::exchange(Torch.S.Arm, ++Arms);
    Flow F = Side ? Then() : Else();
    Torch.S.Arm = Outer;
    return F;
  });
}

} // namespace torch_tidy::model
