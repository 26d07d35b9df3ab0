// backward(), gradients and optimizer steps: where what was written down turns into outcomes.
#include "autograd/AbstractTorch.h"
#include "autograd/OperatorTraits.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace torch_tidy::autograd {

namespace {

/// How the gradient arrives at a node.
struct Arrival {
  bool Live = false;
  ZeroCause Cause; ///< why it is zero, if it is not live
  NodeId Old;      ///< the first node on the way that an earlier backward walked: Note [Old weights]
};

std::string quoted(const std::string &S) { return "'" + S + "'"; }

} // namespace

Defect AbstractTorch::savedOverwritten(const Node &N, const SavedValue &V, Site Backward) const {
  auto [Memory, Index] = S.Counters[V.Count].Bumps[V.Version];
  const Write &W = S.Storages[Memory].Writes[Index];
  Defect D;
  D.Kind = W.Kind == WriteKind::Optimizer ? DefectKind::StepBetween : DefectKind::SavedOverwritten;
  D.Effect = Outcome::Throws;
  D.Culprit = W.At;
  D.Message = describeWrite(W) + " overwrites a value that " + quoted(N.Operation) +
              " saved for backward";
  const Tensor &T = S.Tensors[V.Value];
  if (!V.IsResult && T.Made && T.Made.Number != N.At.Number)
    D.Chain.push_back({T.Made, "the value is made by " + quoted(T.MadeBy) + " here"});
  D.Chain.push_back({N.At, std::string(V.IsResult ? "its result is" : "it is") +
                               " saved for backward by " + quoted(N.Operation) + " here"});
  // What is saved for some shapes only makes the finding a possible one.
  D.Chain.back().At.Conditional |= V.Perhaps;
  for (ChainEvent &E : otherAliases(Memory, W))
    D.Chain.push_back(std::move(E));
  for (ChainEvent &E : chainOfWrite(W))
    D.Chain.push_back(std::move(E));
  D.Chain.push_back({Backward, "backward() runs here and finds another version"});
  D.Through = W.Through;
  D.Writer = W.Kind;
  D.InPlace = true;
  D.OfLeaf = writesLeaf(Memory);
  D.Operation = W.Operation;
  return D;
}

Defect AbstractTorch::changedBehind(const Node &N, StorageId Memory, unsigned Index,
                                    DefectKind Kind, Site Backward) const {
  const Write &W = S.Storages[Memory].Writes[Index];
  Defect D;
  if (W.Operation == "refill") {
    // The filling is meant; that the tensor does not hold a copy is not.
    D.Kind = DefectKind::BufferReused;
    D.Effect = Outcome::Wrong;
    for (TensorId T : S.Storages[Memory].Tensors)
      if (S.Tensors[T].BlobAt && S.Tensors[T].BlobEpoch <= static_cast<int>(Index))
        D.Culprit = S.Tensors[T].BlobAt;
    D.Message = "the buffer of a tensor made by from_blob() is filled anew before backward(), which "
                "reads the old content for " + quoted(N.Operation);
    D.Chain.push_back({N.At, "saved for backward by " + quoted(N.Operation) + " here"});
    D.Chain.push_back({W.At, "the buffer is filled anew here"});
    D.Chain.push_back({Backward, "backward() runs here"});
    return D;
  }
  D.Kind = W.Kind == WriteKind::Optimizer ? DefectKind::StepBetween : Kind;
  D.Effect = W.Kind == WriteKind::Optimizer ? Outcome::Stale : Outcome::Wrong;
  D.Culprit = W.At;
  switch (D.Kind) {
  case DefectKind::SavedChanged:
    D.Message = describeWrite(W) + " changes a value that " + quoted(N.Operation) +
                " saved for backward, without a version bump";
    D.Chain.push_back({N.At, "saved for backward by " + quoted(N.Operation) + " here"});
    break;
  case DefectKind::OldHandleRead:
    D.Message = describeWrite(W) + " also changes the value that " + quoted(N.Operation) +
                " reads through an older handle";
    break;
  case DefectKind::StepBetween:
    D.Message = describeWrite(W) + " changes weights between the forward pass and backward()";
    D.Chain.push_back({N.At, "the old weights are used by " + quoted(N.Operation) + " here"});
    break;
  default:
    D.Message = describeWrite(W) + " changes a value behind autograd";
  }
  for (ChainEvent &E : chainOfWrite(W))
    D.Chain.push_back(std::move(E));
  if (D.Kind == DefectKind::HistoryOutdated)
    D.Chain.push_back({N.At, "the changed value is used by " + quoted(N.Operation) +
                                 " here; its history does not know of the write"});
  D.InDoubt = D.Kind == DefectKind::OldHandleRead && N.DirtyView;
  if (D.Kind == DefectKind::OldHandleRead)
    D.Chain.push_back({N.At, "the older handle is read by " + quoted(N.Operation) + " here"});
  D.Chain.push_back({Backward, "backward() runs here"});
  D.Through = W.Through;
  D.Writer = W.Kind;
  D.InPlace = true;
  D.OfLeaf = writesLeaf(Memory);
  D.Operation = W.Operation;
  return D;
}

void AbstractTorch::backward(Operand Root, bool RetainGraph, Site At, const Into &Where) {
  ++S.Backwards;
  ++S.Effects;
  ++S.Clock;
  if (!Root.T)
    return;
  S.OpaqueBackward |= S.Tensors[Root.T].Opaque;
  if (!requiresGrad(Root.T)) {
    if (S.Tensors[Root.T].Untracked || S.Tensors[Root.T].Opaque) {
      S.OpaqueBackward = true;
      return;
    }
    Defect D{DefectKind::NothingToDo, Outcome::Throws, At,
             "backward() on a value without history", {}};
    // Where the way was cut. A parameter that was replaced explains more than the expression that
    // replaced it; what the optimizer holds is what the author wants to train, while the cut of a
    // target network is none to repair.
    const Dependence *Why = nullptr;
    TensorId Loser;
    const Dependences All = dependences(Root.T);
    int Best = -1;
    for (const auto &[P, E] : All) {
      bool Held = std::find(S.Parameters.begin(), S.Parameters.end(), P) != S.Parameters.end();
      int Rank = 2 * E.Rebound + Held;
      if (E.Status == Dependence::Cut && E.At && Rank > Best) {
        Why = &E;
        Loser = P;
        Best = Rank;
      }
    }
    if (Why && Repaired.count(Why->At.Number)) {
      S.OpaqueBackward = true;
      return;
    }
    if (Why) {
      D.Culprit = Why->At;
      D.Through = Why->Through;
      D.InPlace = Why->InPlace;
      D.By = Why->By;
      D.Operation = Why->How;
      D.Chain.push_back({S.Tensors[Loser].Made, "a parameter is made here"});
      if (Why->Rebound) {
        D.Kind = DefectKind::Rebound;
        D.Message = quoted(nameOf(Loser)) +
                    " is replaced by a tensor that requires no gradient; nothing is left to train";
        D.Chain.push_back({Why->At, "its variable is given another tensor here"});
      } else {
        D.Message = Why->How + " cuts the only way from the loss to the parameters";
        D.Chain.push_back({Why->At, "the graph ends here"});
      }
    }
    D.Chain.push_back({At, "backward() runs here on a value without history"});
    raise(std::move(D));
    return;
  }

  std::map<NodeId, TensorId> Outdated; // computed from a parameter before its last step
  const uint32_t Number = S.Walks.size();
  Walk ThisWalk;
  ThisWalk.At = At;
  ThisWalk.Used = !Where.Gradients;
  ThisWalk.Scale = S.Tensors[Root.T].Scale;
  ThisWalk.Decisions = S.Decisions;
  ThisWalk.Nodes = S.Nodes.size();
  ThisWalk.Steps = S.Steps;
  ThisWalk.From = S.Calls;
  ThisWalk.PeriodicDecisions = S.PeriodicDecisions;
  S.Walks.add(std::move(ThisWalk));

  // Consumers have higher numbers than producers, so descending order is the engine's order.
  std::map<NodeId, Arrival, std::greater<NodeId>> Ready;
  std::map<NodeId, std::pair<NodeId, TensorId>> Via; // from which node, by which operand
  // Where this round's graph goes over into an earlier one's: what the earlier walk freed may hang on
  // values that were computed before it and that it did not walk itself.
  auto WalkedTwice = [&](NodeId Freed, NodeId Giver, TensorId Kept) {
    const uint32_t Before = S.Walks[{S.Nodes[Freed].WalkedBy}].Nodes;
    NodeId Border = Freed;
    while (Giver && Giver.Value < Before && Via.count(Giver) && Via[Giver].first) {
      Border = Giver;
      std::tie(Giver, Kept) = std::pair(Via[Giver]);
    }
    return walkedTwice(Freed, Border, Giver, Kept, At);
  };
  auto Deliver = [&](NodeId Giver, const Edge &E, const Arrival &From,
                     const ZeroCause *Lost = nullptr) {
    Arrival A = From;
    if (A.Live && (E.Zero || Lost)) {
      A.Live = false;
      A.Cause = E.Zero ? E.Cause : *Lost;
    }
    if (E.To) {
      if (!Repaired.empty() && Giver && S.Nodes[E.To].Walked && !S.Nodes[Giver].Walked) {
        Defect D = WalkedTwice(E.To, Giver, E.From);
        if (D.Operation == "keep" && (Repaired.count(D.Culprit.Number) ||
                                      DetachedNodes.count(S.Nodes[E.To].At.Number)))
          return; // repaired by a detach()
      }
      Via.insert({E.To, {Giver, E.From}});
      auto [It, New] = Ready.insert({E.To, A});
      if (!New && A.Live) {
        A.Old = A.Old ? A.Old : It->second.Old;
        It->second = A;
      }
      return;
    }
    // accumulate_grad.cpp: a leaf that no longer wants a gradient is passed over, one that was
    // written in place with history since is refused.
    if (!E.Leaf || Raised || !requiresGrad(E.Leaf))
      return;
    if (NodeId Now = historyOf(E.Leaf)) {
      const Tensor &T = S.Tensors[E.Leaf];
      Defect D{DefectKind::LeafWritten, Outcome::Throws, S.Nodes[Now].At,
               "in-place " + quoted(S.Nodes[Now].Operation) +
                   " gives a history to a leaf that the graph already ends in",
               {}};
      D.Chain.push_back({T.Made, "the leaf is made here"});
      D.Chain.push_back({S.Nodes[Now].At, "it is written with history here"});
      D.Chain.push_back({At, "backward() arrives at it here and refuses"});
      D.InPlace = true;
      D.Operation = S.Nodes[Now].Operation;
      raise(std::move(D));
      return;
    }
    if (!Where.Only.empty() &&
        std::find(Where.Only.begin(), Where.Only.end(), E.Leaf) == Where.Only.end())
      return;
    if (Where.Gradients && A.Live)
      addShare(E.Leaf, Number);
    Tensor &T = S.Tensors.edit(E.Leaf);
    if (A.Live) {
      if (Where.Gradients)
        T.Grad = GradState::Live;
      T.EverReached = Reach::Live;
      T.LastReached = S.Backwards;
      if (!T.ReachedBy)
        T.ReachedBy = At;
      if (A.Old && S.Nodes[A.Old].Born < T.SteppedAt)
        Outdated.insert({A.Old, E.Leaf});
    } else {
      if (T.Grad == GradState::Undefined && Where.Gradients)
        T.Grad = GradState::Zero;
      if (T.EverReached < Reach::Zero) {
        T.EverReached = Reach::Zero;
        T.LostAt = A.Cause.At;
        T.LostHow = A.Cause.How;
        T.LostThrough = A.Cause.Through;
        T.LostInPlace = A.Cause.InPlace;
        T.LostToOperator = A.Cause.Operator;
        T.LostBackward = At;
      }
    }
  };
  // Where the walk left this round's graph for what an earlier one walked.
  auto WalkedBefore = [&](NodeId Id) {
    while (Via[Id].first && S.Nodes[Via[Id].first].Walked)
      Id = Via[Id].first;
    auto [Giver, Kept] = Via[Id];
    return WalkedTwice(Id, Giver, Kept);
  };
  Arrival Start;
  Start.Live = true;
  Edge First;
  First.To = historyOf(Root.T);
  if (Raised)
    return;
  if (!First.To && S.Tensors[Root.T].LeafRequiresGrad)
    First.Leaf = Root.T;
  First.From = Root.T;
  Deliver({}, First, Start);
  if (Raised)
    return;

  std::vector<Defect> Silent;
  std::vector<NodeId> Visited;
  // The walk goes from the last node to the first: those that came after are visited by now.
  auto ReadAnew = [&](const SavedValue &Old) {
    return std::any_of(Visited.begin(), Visited.end(), [&](NodeId Later) {
      const std::vector<SavedValue> &Saved = S.Nodes[Later].Saved;
      return std::any_of(Saved.begin(), Saved.end(), [&](const SavedValue &X) {
        return X.Value == Old.Value && X.Memory != Old.Memory;
      });
    });
  };
  while (!Ready.empty()) {
    auto [Id, A] = *Ready.begin();
    Ready.erase(Ready.begin());
    Visited.push_back(Id);
    if (Where.Gradients)
      for (TensorId R : S.Retained)
        if (S.Tensors[R].History == Id)
          S.Tensors.edit(R).Grad = A.Live ? GradState::Live : GradState::Zero;
    if (A.Live && Where.Gradients && !S.Nodes[Id].Trained)
      S.Nodes.edit(Id).Trained = true;
    const Node N = S.Nodes[Id];
    if (!A.Old && !N.View && (N.Freed || (N.Walked && N.ReplacesAt)))
      A.Old = Id;
    if (N.Freed && (!N.Saved.empty() || N.SavesCopy)) {
      Defect D = WalkedBefore(Id);
      blameRebinding(D, Visited);
      if (D.Kind == DefectKind::Rebound) {
        raise(std::move(D));
        return;
      }
      if (!Repaired.count(D.Culprit.Number)) {
        if (D.Operation == "read")
          DetachedReads.insert(D.Culprit.Number);
        if (D.Operation == "keep")
          DetachedNodes.insert(D.Chain.front().At.Number);
        raise(std::move(D));
        return;
      }
    }
    std::map<int, ZeroCause> Wiped; // by argument: its gradient is computed from a wiped value
    for (const SavedValue &V : N.Saved) {
      // saved_variable.cpp: an operand that was saved is unpacked with its history, and refuses to
      // when detach_() has taken that away.
      if (Site Detached = S.Tensors[V.Value].DetachedAt;
          Detached && !V.IsResult && V.HadHistory && !S.Tensors[V.Value].History) {
        Defect D{DefectKind::SavedOverwritten, Outcome::Throws, Detached,
                 "detach_() takes the history from a value that " + quoted(N.Operation) +
                     " saved for backward"};
        D.Chain.push_back({N.At, "saved for backward by " + quoted(N.Operation) + " here"});
        D.Chain.push_back({Detached, "detached in place here"});
        D.Chain.push_back({At, "backward() runs here"});
        D.InPlace = true;
        D.Operation = "detach_";
        raise(std::move(D));
        return;
      }
      if (S.Counters[V.Count].Bumps.size() > V.Version) {
        auto [Memory, Index] = S.Counters[V.Count].Bumps[V.Version];
        if (!Repaired.count(S.Storages[Memory].Writes[Index].At.Number)) {
          Defect Found = savedOverwritten(N, V, At);
          if (Found.Kind == DefectKind::StepBetween && N.Walked && N.WalkedAt == At) {
            // A retained graph of an earlier round, behind the step that followed it.
            Defect D = WalkedBefore(Id);
            D.Message += "; the weights have been stepped since";
            Found = std::move(D);
          }
          raise(std::move(Found));
          for (Defect &D : Silent)
            if (!(D.Culprit == S.Defects.back().Culprit))
              S.Defects.push_back(std::move(D));
          return;
        }
        continue;
      }
      const Storage &M = S.Storages[V.Memory];
      for (size_t I = V.Epoch; I < M.Writes.size() && A.Live; ++I) {
        const Write &W = M.Writes[I];
        if (!overlap(W.Where, V.Where) || W.SameContent || Repaired.count(W.At.Number))
          continue;
        const Traits &Trait = traitsOf(N.Operation);
        // set_data() gives the tensor another content, not the storage that a result or a view keeps.
        // Where the loss goes on to use the tensor, it is computed from both contents.
        bool KeepsOld = W.Operation == "set_data" && (V.IsResult || (Trait.SavesViews && V.Argument > 0));
        if (KeepsOld && !ReadAnew(V))
          continue;
        if ((W.KeepsSigns && Trait.NeedsSignsOnly) ||
            (Trait.NeedsShapesOnly && V.Argument == 0))
          continue;
        // A factor is read for the gradient of the other one. Some kernels (convolution) save both
        // whatever is asked of them.
        if (Trait.Multiplicative && V.Argument >= 0 && N.Operation != "einsum" &&
            std::none_of(N.Next.begin(), N.Next.end(), [&](const Edge &E) {
              return E.Argument != V.Argument && E.Argument < 2;
            }))
          continue;
        Silent.push_back(changedBehind(N, V.Memory, static_cast<unsigned>(I),
                                       DefectKind::SavedChanged, At));
        Silent.back().Chain.front().At.Conditional |= V.Perhaps;
        if (KeepsOld)
          Silent.back().Message = "set_data() gives " + quoted(nameOf(V.Value)) +
                                  " other content within one loss: " + quoted(N.Operation) +
                                  " has used the old, what follows uses the new";
        if (W.Kind == WriteKind::Optimizer && N.Walked && N.WalkedAt == At) {
          Defect D = WalkedBefore(Id);
          if (Repaired.count(D.Culprit.Number)) {
            Silent.pop_back();
            break;
          }
          D.Effect = Outcome::Wrong;
          D.Message += "; the weights have been stepped since";
          Silent.back() = std::move(D);
        }
        if (W.Zeroes && M.Zero && Trait.Multiplicative)
          for (int Argument : V.NeededFor)
            Wiped[Argument] = {W.At, W.Operation, W.Through, true};
        break;
      }
    }
    if (N.DirtyWrite >= 0 && A.Live) {
      const Write &W = S.Storages[N.DirtyMemory].Writes[N.DirtyWrite];
      // A history that no gradient goes into need not be the right one.
      bool Flows = N.DirtyHandle || N.Next.empty() ||
                   std::any_of(N.Next.begin(), N.Next.end(), [](const Edge &E) { return !E.Zero; });
      if (Flows && !Repaired.count(W.At.Number))
        Silent.push_back(changedBehind(N, N.DirtyMemory, N.DirtyWrite,
                                       N.DirtyHandle
                                           ? DefectKind::OldHandleRead
                                           : DefectKind::HistoryOutdated,
                                       At));
    }
    for (const Edge &E : N.Next) {
      auto Lost = Wiped.find(E.Argument);
      Deliver(Id, E, A, Lost == Wiped.end() ? nullptr : &Lost->second);
    }
    if (Raised)
      return;
  }
  for (NodeId Id : Visited) {
    Node &N = S.Nodes.edit(Id);
    N.Freed |= !RetainGraph;
    N.Walked = true;
    N.WalkedPerhaps = false;
    N.WalkedAt = At;
    N.WalkedBy = Number;
  }
  for (Defect &D : Silent)
    record(std::move(D));
  settleSuspicions(Number, First.To);
  if (!Where.Gradients)
    return;
  for (auto &[Old, Leaf] : Outdated)
    noteOldWeights(Old, Leaf, At);
  noteLostDependences(Root, At);
  noteTerms(Root);
  judgeTargets(Root, At);
}

/// Remembers for each parameter that a loss depends on in value, but not through the tape, where
/// its path was cut; finish() tells whether another backward reached it after all.
void AbstractTorch::noteLostDependences(Operand Root, Site At) {
  for (auto &[P, E] : dependences(Root.T)) {
    if (E.Status != Dependence::Cut || !E.At ||
        (S.Tensors[P].EverReached != Reach::Never && !E.Rebound))
      continue;
    Tensor &T = S.Tensors.edit(P);
    if (T.LostAt && !(E.Rebound && !T.LostByRebinding))
      continue;
    T.LostAt = E.At;
    T.LostHow = E.How;
    T.LostThrough = E.Through;
    T.LostInPlace = E.InPlace;
    T.LostBy = E.By;
    T.LostByRebinding = E.Rebound;
    T.LostIn = S.Backwards;
    T.LostBackward = At;
  }
  arrive(Root.T, {At, "backward() starts from a value computed from it here"});
  if (auto Terms = S.Tensors[Root.T].LostTerms)
    for (const LostTerm &T : *Terms)
      S.LostTerms.push_back({T, At});
}

/// What the program trains: what its optimizers hold; without an optimizer, every leaf that
/// requires a gradient.
std::vector<TensorId> AbstractTorch::optimised() const {
  if (!S.Parameters.empty())
    return S.Parameters;
  std::vector<TensorId> All;
  for (uint32_t I = 0; I < S.Tensors.size(); ++I)
    if (S.Tensors[TensorId{I}].LeafRequiresGrad)
      All.push_back(TensorId{I});
  return All;
}

/// Equal on every path, unlike a number.
std::string AbstractTorch::placeOf(TensorId P) const {
  return S.Tensors[P].MadeBy + "@" + std::to_string(S.Tensors[P].Made.Number);
}

std::vector<std::string> AbstractTorch::reachedParameters() const {
  std::vector<std::string> Names;
  for (TensorId P : optimised())
    if (S.Tensors[P].EverReached == Reach::Live)
      Names.push_back(placeOf(P));
  return Names;
}

void AbstractTorch::finish() {
  std::set<uint32_t> Zeroing; // culprits that leave some leaf a zero gradient
  for (const Suspicion &X : S.Suspected)
    if (X.About && S.Tensors[X.About].EverReached == Reach::Zero)
      Zeroing.insert(X.What.Culprit.Number);
  for (const Suspicion &X : S.Suspected) {
    bool Read = X.Unread && X.Unread.Value < ReadAt.size() && ReadAt[X.Unread.Value] > X.Since;
    if (!X.Arrived || Read || X.Withdrawn)
      continue;
    record(X.What);
    if (X.About && Zeroing.count(X.What.Culprit.Number))
      S.Defects.back().Effect = Outcome::Zero;
  }
  if ((!S.Backwards || S.GradModeOwed) && S.Stepped && !S.GradMode && S.GradModeOffForGood &&
      S.GradModeOffAt) {
    // No loss has a history any more, and the program asks before it calls backward().
    Defect D{DefectKind::DependenceCut, Outcome::Undefined, S.GradModeOffAt,
             "grad mode is switched off and never on again: nothing gets a gradient", {}};
    D.Chain.push_back({S.GradModeOffAt, "grad mode is switched off here"});
    D.By = CutBy::Guard;
    // What other ways train does not excuse a return that forgets what the others do.
    if (!S.GradModeOwed)
      for (TensorId P : S.Parameters)
        D.Losers.push_back(placeOf(P));
    record(std::move(D));
  }
  if (S.OpaqueBackward || S.Backwards == 0)
    return;
  judgeUnused();
  const std::vector<TensorId> Trained = optimised();
  std::map<std::pair<uint32_t, bool>, Defect> ByPlace;
  std::set<TensorId> Lost;
  for (TensorId P : Trained) {
    Tensor T = S.Tensors[P];
    // Of several cuts the one that leaves a whole term without a gradient is the one to repair: the
    // others may be stop-gradients that are meant.
    if (T.LostAt && T.EverReached == Reach::Never && !T.LostByRebinding)
      for (const auto &[Term, Backward] : S.LostTerms) {
        auto It = std::find(Term.Parameters.begin(), Term.Parameters.end(), P);
        if (It == Term.Parameters.end() || Term.Elementwise)
          continue;
        const Dependence &E = Term.Cuts[It - Term.Parameters.begin()];
        T.LostAt = E.At;
        T.LostHow = E.How;
        T.LostThrough = E.Through;
        T.LostInPlace = E.InPlace;
        T.LostBy = E.By;
        T.LostBackward = Backward;
        break;
      }
    if (!T.LostAt || Repaired.count(T.LostAt.Number) || finishRebound(P))
      continue;
    if (T.EverReached == Reach::Live)
      continue;
    // Who writes backward() so means it, unless somebody waits for the gradient.
    if (T.LostBy == CutBy::Function && !isTrained(P))
      continue;
    bool Zero = T.EverReached == Reach::Zero;
    // A factor that happens to be zero (a weight that switches a term off, a placeholder for the
    // input) is the author's; an operator without a slope is not.
    if (Zero && !T.LostToOperator && !T.LostInPlace)
      continue;
    auto [It, New] = ByPlace.insert({{T.LostAt.Number, Zero}, {}});
    Defect &D = It->second;
    D.Losers.push_back(placeOf(P));
    Lost.insert(P);
    if (!New)
      continue;
    D.Kind = Zero ? DefectKind::DependenceZeroed : DefectKind::DependenceCut;
    D.Effect = Zero ? Outcome::Zero : Outcome::Undefined;
    D.Culprit = T.LostAt;
    D.Message = Zero ? quoted(T.LostHow) + " leaves a zero gradient to parameter " + quoted(T.MadeBy)
                     : T.LostHow + " cuts the path from the loss to parameter " + quoted(T.MadeBy);
    D.Chain.push_back({T.Made, "the parameter is made here"});
    D.Chain.push_back({T.LostAt, Zero ? "its gradient becomes zero here" : "the graph is cut here"});
    if (T.LostBackward)
      D.Chain.push_back({T.LostBackward, "backward() does not reach it from here"});
    D.Through = T.LostThrough;
    D.InPlace = T.LostInPlace;
    D.By = T.LostBy;
    D.Operation = T.LostHow;
    // Without an optimizer nobody has said what is to be trained; under a guard that is closed
    // again, a part may be frozen.
    D.InDoubt = !Zero && (S.Parameters.empty() ||
                          (T.LostBy == CutBy::Guard && !S.GradModeOffForGood));
  }
  for (auto &[Place, D] : ByPlace) {
    if (D.Losers.size() > 1)
      D.Message += " and " + std::to_string(D.Losers.size() - 1) + " more";
    record(std::move(D));
  }

  for (auto &[Term, Backward] : S.LostTerms) {
    const Dependence &E = Term.Cut;
    bool Held = std::any_of(Term.Parameters.begin(), Term.Parameters.end(), [&](TensorId P) {
      return std::find(Trained.begin(), Trained.end(), P) != Trained.end();
    });
    bool Said = std::any_of(Term.Parameters.begin(), Term.Parameters.end(),
                            [&](TensorId P) { return Lost.count(P) != 0; });
    bool Walked = std::any_of(Term.From.begin(), Term.From.end(),
                              [&](NodeId N) { return N && S.Nodes[N].Trained; });
    if (!Held || Said || Walked || Repaired.count(E.At.Number))
      continue;
    Defect D;
    D.Kind = DefectKind::TermLost;
    D.Effect = Outcome::Wrong;
    D.Culprit = E.At;
    D.Message = E.How + " leaves a term of the loss without a gradient: adding it changes nothing "
                        "that is learned";
    D.Chain.push_back({E.At, "the term is cut off the graph here"});
    D.Chain.push_back({Term.Added, "it is added to the loss here"});
    D.Chain.push_back({Backward, "backward() runs here without it"});
    D.Through = E.Through;
    D.InPlace = E.InPlace;
    D.By = E.By;
    D.Operation = E.How;
    D.InDoubt = S.Parameters.empty() || E.By == CutBy::Guard || E.By == CutBy::Alias;
    record(std::move(D));
  }
  finishRebindings();
}

} // namespace torch_tidy::autograd
