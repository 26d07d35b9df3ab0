// Note [Joining], for what autograd knows: whether two ways left tensors, memory and the tape alike.
#include "interpreter/joining/Join.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

namespace torch_tidy::model {

using autograd::Alias;
using autograd::WriteKind;

/// A tensor that autograd has nothing to do with: data.
bool Joiner::plain(const ProgramState &P, TensorId Id) const {
  const autograd::State &S = P.Torch;
  const autograd::Tensor &T = S.Tensors[Id];
  const autograd::Family &F = S.Families[T.Kin];
  return !T.LeafRequiresGrad && !T.History && !T.IsParameter && !F.RequiresGrad && !F.History &&
         (!T.Depends || T.Depends->empty()) && !watched(P, T.Memory) && !T.Suspects &&
         !T.LostTerms && !T.FromGradients && !T.BlobAt && !S.Storages[T.Memory].Suspects &&
         !S.Storages[T.Memory].GradientOf;
}

/// From which write on a node may look at this memory again.
std::optional<uint32_t> Joiner::watched(const ProgramState &S, StorageId M) const {
  if (!S.Torch.Storages[M].Saved)
    return std::nullopt;
  return (&S == &A ? ReachA : ReachB)().watchedFrom(M);
}

bool Joiner::tensors(TensorId X, TensorId Y) {
  if (std::optional<bool> P = paired(TensorMap, X, Y, Common.Tensors)) {
    if (*P || !X || !Y)
      return *P;
    // Other data is as good, unless one of the two may be anything.
    return plain(A, X) && plain(B, Y) &&
           A.Torch.Tensors[X].Untracked == B.Torch.Tensors[Y].Untracked;
  }
  return tensorContents(X, Y);
}

static bool sameSuspects(const std::shared_ptr<const autograd::Suspicions> &X,
                         const std::shared_ptr<const autograd::Suspicions> &Y) {
  return X == Y || (X && Y && *X == *Y);
}

/// What became of a gradient.
bool Joiner::sameLife(const autograd::Tensor &X, const autograd::Tensor &Y) const {
  if (X.Life == Y.Life)
    return true;
  static const autograd::GradientLife None;
  const autograd::GradientLife &L = X.Life ? *X.Life : None, &M = Y.Life ? *Y.Life : None;
  if (MoreInA) // nothing waits for a step
    return std::all_of(M.Shares.begin(), M.Shares.end(), [&](const autograd::Share &Q) {
      return std::any_of(L.Shares.begin(), L.Shares.end(), [&](const autograd::Share &P) {
        return A.Torch.Walks[{P.Walk}].At == B.Torch.Walks[{Q.Walk}].At &&
               P.SteppedBy.size() >= Q.SteppedBy.size();
      });
    });
  if (!X.Life || !Y.Life)
    return false;
  auto Shares = [](const autograd::Share &P, const autograd::Share &Q) {
    return P.Walk == Q.Walk && P.SteppedBy == Q.SteppedBy && P.Clipped == Q.Clipped &&
           P.ClippedEarly == Q.ClippedEarly && P.Unscaled == Q.Unscaled;
  };
  auto Discards = [](const autograd::DiscardedShare &P, const autograd::DiscardedShare &Q) {
    return P.Walk == Q.Walk && P.At == Q.At && P.Held == Q.Held;
  };
  auto Steps = [](const auto &P, const auto &Q) { return P.By == Q.By && P.Clock == Q.Clock; };
  return std::equal(L.Shares.begin(), L.Shares.end(), M.Shares.begin(), M.Shares.end(), Shares) &&
         std::equal(L.Discarded.begin(), L.Discarded.end(), M.Discarded.begin(),
                    M.Discarded.end(), Discards) &&
         std::equal(L.Steps.begin(), L.Steps.end(), M.Steps.begin(), M.Steps.end(), Steps);
}

/// What training has done to a tensor so far.
bool Joiner::sameHistory(const autograd::Tensor &X, const autograd::Tensor &Y) const {
  auto SameLoss = [&] {
    return X.LostAt == Y.LostAt && X.LostHow == Y.LostHow && X.LostThrough == Y.LostThrough &&
           X.LostInPlace == Y.LostInPlace && X.LostByRebinding == Y.LostByRebinding;
  };
  if (MoreInA)
    return X.Grad >= Y.Grad && X.EverReached >= Y.EverReached &&
           (X.EverReached == autograd::Reach::Live || SameLoss()) && sameLife(X, Y);
  return X.Grad == Y.Grad && X.EverReached == Y.EverReached && X.SteppedAt == Y.SteppedAt &&
         SameLoss() && sameLife(X, Y);
}

/// Whether a leaf was given other memory on one way, which nobody else holds, while no node looks at
/// what it held: as if it had been written.
bool Joiner::refilled(TensorId IdX, TensorId IdY) const {
  const autograd::Tensor &X = A.Torch.Tensors[IdX], &Y = B.Torch.Tensors[IdY];
  if (!(IdX == IdY) || X.History || Y.History || !X.LeafRequiresGrad || X.Memory == Y.Memory ||
      X.Memory.Value < Common.Storages || Y.Memory.Value >= Common.Storages)
    return false;
  auto Others = [&](const ProgramState &S, StorageId M, const Reachable &R) {
    return llvm::any_of(S.Torch.Storages[M].Tensors, [&](TensorId T) {
      return !(T == IdX) && S.Torch.Tensors[T].Memory == M && R.has(T);
    });
  };
  return !watched(A, X.Memory) && !watched(A, Y.Memory) && !watched(B, Y.Memory) &&
         !Others(A, X.Memory, ReachA()) && !Others(B, Y.Memory, ReachB());
}

bool Joiner::tensorContents(TensorId IdX, TensorId IdY) {
  const autograd::Tensor &X = A.Torch.Tensors[IdX], &Y = B.Torch.Tensors[IdY];
  if (plain(A, IdX) && plain(B, IdY))
    return X.Untracked == Y.Untracked;
  auto SinceViewed = [](const ProgramState &S, const autograd::Tensor &T) {
    return std::pair(T.IsView ? S.Torch.Counters[T.Count].Bumps.size() - T.ViewVersion : 0,
                     S.Torch.Families[T.Kin].Version - T.FamilyVersion);
  };
  const bool Refilled = refilled(IdX, IdY);
  auto SameScale = [&] {
    return X.Scale.Variable == Y.Scale.Variable && X.Scale.Content == Y.Scale.Content &&
           X.Scale.Known == Y.Scale.Known && X.Scale.Inverse == Y.Scale.Inverse;
  };
  bool Same = X.Where == Y.Where && X.LeafRequiresGrad == Y.LeafRequiresGrad &&
              X.Untracked == Y.Untracked && X.IsView == Y.IsView && X.MultiView == Y.MultiView &&
              X.NoGradView == Y.NoGradView && X.FunctionView == Y.FunctionView && X.Turned == Y.Turned && X.Integral == Y.Integral &&
              X.Inference == Y.Inference && SinceViewed(A, X) == SinceViewed(B, Y) &&
              (Refilled || (X.Through == Y.Through && X.AliasMade == Y.AliasMade)) &&
              X.Dirty == Y.Dirty &&
              (X.Dirty < 0 || storages(X.DirtyMemory, Y.DirtyMemory)) &&
              X.RetainsGrad == Y.RetainsGrad && X.DetachedAt == Y.DetachedAt &&
              X.UnfrozenAt == Y.UnfrozenAt &&
              X.IsParameter == Y.IsParameter && sameHistory(X, Y) &&
              X.Opaque == Y.Opaque && X.OfGradient == Y.OfGradient && X.Selected == Y.Selected &&
              X.BlobAt == Y.BlobAt && X.BlobEpoch == Y.BlobEpoch &&
              (SameScale() || (!X.History && !X.OfGradient && !Y.History && !Y.OfGradient)) &&
              sameSuspects(X.Suspects, Y.Suspects) &&
              (X.LostTerms ? X.LostTerms->size() : 0) == (Y.LostTerms ? Y.LostTerms->size() : 0);
  if (!Same)
    return false;
  if (!X.FromGradients != !Y.FromGradients)
    return false;
  if (X.FromGradients) {
    if (X.FromGradients->size() != Y.FromGradients->size())
      return false;
    for (size_t I = 0; I < X.FromGradients->size(); ++I)
      if (!tensors((*X.FromGradients)[I], (*Y.FromGradients)[I]))
        return false;
  }
  // grad() hands out a tensor when somebody asks for it: who has not asked, has none.
  if (X.GradTensor && Y.GradTensor && !tensors(X.GradTensor, Y.GradTensor))
    return false;
  return (Refilled || storages(X.Memory, Y.Memory)) && counters(X.Count, Y.Count) && families(X.Kin, Y.Kin) &&
         nodes(X.History, Y.History) &&
         dependences(X.Depends, Y.Depends, !X.History && !Y.History);
}

/// Data has lost what it was computed from, wherever that was; and that it was computed from
/// something is no loss to a parameter that is trained.
bool Joiner::dependences(const std::shared_ptr<const autograd::Dependences> &X,
                         const std::shared_ptr<const autograd::Dependences> &Y, bool Data) {
  if (X == Y)
    return true;
  static const autograd::Dependences None;
  const autograd::Dependences &L = X ? *X : None, &M = Y ? *Y : None;
  using autograd::Dependence;
  auto Cut = [](const Dependence &D) { return D.Status == Dependence::Cut; };
  auto SamePlace = [&](const Dependence &D, const Dependence &E) {
    return (D.At == E.At && D.Through == E.Through && D.InPlace == E.InPlace) ||
           (Data && Cut(D) && Cut(E));
  };
  size_t K = 0;
  for (const auto &[P, D] : L) {
    bool Both = K < M.size() && (M[K].first == P || P.Value >= Common.Tensors);
    if (Both) {
      const auto &[Q, E] = M[K++];
      if (D.Status != E.Status || !SamePlace(D, E) || D.Derivative != E.Derivative ||
          D.OfItself != E.OfItself || !tensors(P, Q))
        return false;
    } else if (!Data || !MoreInA || !Cut(D) ||
               A.Torch.Tensors[P].EverReached != autograd::Reach::Live) {
      return false;
    }
  }
  return K == M.size();
}

bool Joiner::storages(StorageId X, StorageId Y) {
  if (std::optional<bool> P = paired(StorageMap, X, Y, Common.Storages))
    return *P;
  return storageContents(X, Y);
}

bool Joiner::storageContents(StorageId IdX, StorageId IdY) {
  const autograd::Storage &X = A.Torch.Storages[IdX], &Y = B.Torch.Storages[IdY];
  if (X.Zero != Y.Zero)
    NotZero.push_back(IdX);
  if (!(X.Holds == Y.Holds))
    Wider.push_back({IdX, hull(X.Holds, Y.Holds)});
  if (!sameSuspects(X.Suspects, Y.Suspects) || X.LastBlob != Y.LastBlob ||
      !tensors(X.GradientOf, Y.GradientOf))
    return false;
  auto SameWrite = [&](const autograd::Write &V, const autograd::Write &W) {
    return V.At == W.At && V.CalledAt == W.CalledAt && V.Kind == W.Kind &&
           V.Through == W.Through && V.AliasMade == W.AliasMade && V.Versioned == W.Versioned &&
           V.Tracked == W.Tracked && V.UnderNoGrad == W.UnderNoGrad && V.ByKept == W.ByKept && V.Rebinds == W.Rebinds &&
           V.Where == W.Where;
  };
  size_t N = std::min(X.Writes.size(), Y.Writes.size()), I = 0;
  while (I < N && SameWrite(X.Writes[I], Y.Writes[I]))
    ++I;
  if (I == X.Writes.size() && I == Y.Writes.size())
    return true;
  std::optional<uint32_t> FromX = watched(A, IdX), FromY = watched(B, IdY);
  if (FromX || (FromY && !MoreInA)) {
    // Both must have seen the same since a node looked first: what was before, it takes as given.
    if (!FromX || !FromY || *FromX > X.Writes.size() || *FromY > Y.Writes.size())
      return false;
    return std::equal(X.Writes.begin() + *FromX, X.Writes.end(), Y.Writes.begin() + *FromY,
                      Y.Writes.end(), SameWrite);
  }
  auto Harmless = [&](const autograd::Storage &M) {
    return std::none_of(M.Writes.begin() + I, M.Writes.end(), [](const autograd::Write &W) {
      return W.Kind == WriteKind::Activation; // see Note [Old handles]
    });
  };
  return Harmless(X) && Harmless(Y);
}

bool Joiner::counters(CounterId X, CounterId Y) {
  if (std::optional<bool> P = paired(CounterMap, X, Y, Common.Counters))
    return *P;
  if (A.Torch.Counters[X].None != B.Torch.Counters[Y].None)
    return false;
  return true; // how far it has come, no one remembers: see nodeContents()
}

bool Joiner::families(FamilyId X, FamilyId Y) {
  if (std::optional<bool> P = paired(FamilyMap, X, Y, Common.Families))
    return *P;
  return familyContents(X, Y);
}

bool Joiner::familyContents(FamilyId IdX, FamilyId IdY) {
  const autograd::Family &X = A.Torch.Families[IdX], &Y = B.Torch.Families[IdY];
  return X.Version == Y.Version && X.RequiresGrad == Y.RequiresGrad && nodes(X.History, Y.History) &&
         tensors(X.Base, Y.Base);
}

/// A tape is as long as the program: its nodes wait in a list, not on the stack.
bool Joiner::nodes(NodeId X, NodeId Y) {
  if (std::optional<bool> P = paired(NodeMap, X, Y, Common.Nodes))
    return *P;
  NodeWork.push_back({X, Y});
  return true;
}

bool Joiner::pendingNodes() {
  while (!NodeWork.empty()) {
    auto [X, Y] = NodeWork.back();
    NodeWork.pop_back();
    if (!nodeContents(X, Y))
      return false;
  }
  return true;
}

/// Whether backward() raises from both, whoever else holds them.
bool Joiner::finished(TensorId X, TensorId Y) {
  if (!X || !Y)
    return false;
  const autograd::Tensor &T = A.Torch.Tensors[X], &U = B.Torch.Tensors[Y];
  return T.History && U.History && T.Untracked == U.Untracked && T.Integral == U.Integral &&
         T.Opaque == U.Opaque && !T.Suspects && !U.Suspects && !T.LostTerms && !U.LostTerms &&
         T.Dirty < 0 && U.Dirty < 0 && raises(A, T.History, RaisesA) &&
         raises(B, U.History, RaisesB) && dependences(T.Depends, U.Depends);
}

/// Whether walking a tape from here meets a node that backward() has freed what it had saved.
bool Joiner::raises(const ProgramState &S, NodeId N, llvm::DenseMap<uint32_t, bool> &Known) {
  std::vector<std::pair<NodeId, size_t>> Stack{{N, 0}};
  while (!Stack.empty()) {
    auto &[At, Edge] = Stack.back();
    const autograd::Node &X = S.Torch.Nodes[At];
    if (Edge == 0)
      Known.try_emplace(At.Value,
                        X.Freed && !X.WalkedPerhaps && (!X.Saved.empty() || X.SavesCopy));
    bool &Raises = Known[At.Value];
    if (Edge > 0)
      if (NodeId Last = X.Next[Edge - 1].To)
        Raises |= Known.lookup(Last.Value);
    if (Raises || Edge == X.Next.size()) {
      Stack.pop_back();
      continue;
    }
    NodeId To = X.Next[Edge++].To;
    if (To && !Known.count(To.Value))
      Stack.push_back({To, 0});
  }
  return Known.lookup(N.Value);
}

bool Joiner::nodeContents(NodeId IdX, NodeId IdY) {
  const autograd::Node &X = A.Torch.Nodes[IdX], &Y = B.Torch.Nodes[IdY];
  if (raises(A, IdX, RaisesA) && raises(B, IdY, RaisesB))
    return true;
  const bool PerhapsWalked = MoreInA && X.Walked && !Y.Walked;
  if (PerhapsWalked || (X.Walked && Y.WalkedPerhaps))
    Perhaps.push_back(IdX);
  if ((X.Walked != Y.Walked && !PerhapsWalked) || (X.Walked && Y.Walked && X.WalkedBy != Y.WalkedBy && !MoreInA) ||
      !(X.ReplacesAt == Y.ReplacesAt))
    return false;
  if (X.Operation != Y.Operation || X.SavesCopy != Y.SavesCopy ||
      (X.Freed != Y.Freed && !PerhapsWalked) ||
      X.DirtyWrite != Y.DirtyWrite || X.DirtyHandle != Y.DirtyHandle || X.DirtyView != Y.DirtyView ||
      X.WithData != Y.WithData || !storages(X.DirtyMemory, Y.DirtyMemory) ||
      X.Saved.size() != Y.Saved.size() || X.Next.size() != Y.Next.size())
    return false;
  // How much happened since, not how much had happened before.
  auto Bumps = [](const ProgramState &S, const autograd::SavedValue &V) {
    return V.Count ? S.Torch.Counters[V.Count].Bumps.size() - V.Version : 0;
  };
  auto Writes = [](const ProgramState &S, const autograd::SavedValue &V) {
    return V.Memory ? S.Torch.Storages[V.Memory].Writes.size() - V.Epoch : 0;
  };
  for (size_t I = 0; I < X.Saved.size(); ++I) {
    const autograd::SavedValue &V = X.Saved[I], &W = Y.Saved[I];
    if (V.Where != W.Where ||
        (!PerhapsWalked && (Bumps(A, V) != Bumps(B, W) || Writes(A, V) != Writes(B, W))) ||
        V.IsResult != W.IsResult || V.HadHistory != W.HadHistory || V.Perhaps != W.Perhaps ||
        V.NeededFor != W.NeededFor || !tensors(V.Value, W.Value) ||
        !storages(V.Memory, W.Memory) || !counters(V.Count, W.Count))
      return false;
  }
  for (size_t I = 0; I < X.Next.size(); ++I) {
    const autograd::Edge &V = X.Next[I], &W = Y.Next[I];
    if (V.Argument != W.Argument || V.Zero != W.Zero ||
        (V.Zero && !(V.Cause.At == W.Cause.At)) || !nodes(V.To, W.To) || !tensors(V.Leaf, W.Leaf))
      return false;
  }
  return true;
}

} // namespace torch_tidy::model
