// Graphs that are walked twice: see Note [Which line keeps a graph].
#include "autograd/AbstractTorch.h"

namespace torch_tidy::autograd {

void AbstractTorch::keep(TensorId Id, uint32_t Variable, Site At) {
  if (!Id || !S.Tensors[Id].History)
    return;
  const Tensor &T = S.Tensors[Id];
  // Of several variables the oldest outlives the others; of fresh ones the last one counts, until
  // the graph is gone.
  if (Variable > T.KeptIn || (Variable == ~0u && S.Nodes[T.History].Walked))
    return;
  Tensor &W = S.Tensors.edit(Id);
  W.KeptIn = Variable;
  W.KeptAt = At;
  W.KeptBefore = S.Nodes.size();
}

/// Where a value comes in that Reader reads and Maker made: the line of the reader, or of the call
/// that leads to it, in the innermost function that has both to do with.
Site AbstractTorch::entryOf(NodeId Reader, NodeId Maker) const {
  auto Outwards = [](const CallFrame *F) {
    std::vector<const CallFrame *> Frames;
    for (; F; F = F->Outer.get())
      Frames.push_back(F);
    return Frames;
  };
  std::vector<const CallFrame *> R = Outwards(S.Nodes[Reader].Frame.get()),
                                 M = Outwards(S.Nodes[Maker].Frame.get());
  while (!R.empty() && !M.empty() && R.back() == M.back()) {
    R.pop_back();
    M.pop_back();
  }
  return R.empty() || !R.back()->At ? S.Nodes[Reader].At : R.back()->At;
}

/// Note [Which line keeps a graph]
/// backward() meets a node that an earlier backward() freed. Two losses of one forward pass are
/// repaired at the first backward(), which has to retain the graph; a graph that stays from an
/// earlier round of a loop is repaired where a variable was given the value without detach(). The
/// first is told from the second by the place of the two backwards: a loop's is one place. And if
/// nobody wanted the gradients that the first backward() left below the shared value (they were
/// cleared: the discriminator's step through the generator), the value lacks a detach() where the
/// first loss reads it.
/// A loop over the losses of one forward pass is told from a loop over rounds by what lies between
/// the two backwards: what leads to the freed graph was there already, or nothing was stepped and
/// the operation that was freed has not run again.
/// A list of kept values is kept where its elements were put into it, not where they are stacked.
Defect AbstractTorch::walkedTwice(NodeId Freed, NodeId Border, NodeId Via, TensorId Kept,
                                  Site Backward) const {
  const Node &N = S.Nodes[Freed];
  Defect D{DefectKind::BackwardTwice, Outcome::Throws, N.WalkedAt,
           "backward() frees a graph that is walked again", {}};
  D.Sometimes = N.WalkedPerhaps;
  D.Chain.push_back({N.At, "the graph was built by '" + N.Operation + "' here"});
  std::vector<ChainEvent> Also;
  const Walk &First = S.Walks[{N.WalkedBy}];
  auto OneForward = [&] {
    if (!Via)
      return false;
    if (Via.Value < First.Nodes)
      return true;
    if (S.Parameters.empty() || S.Steps != First.Steps)
      return false;
    for (uint32_t I = First.Nodes; I < S.Nodes.size(); ++I)
      if (S.Nodes[{I}].At == N.At)
        return false;
    return true;
  };
  bool Loop = N.WalkedAt == Backward && !OneForward();
  const Tensor *T = Kept ? &S.Tensors[Kept] : nullptr;
  // An in-place operation goes on in the variable that it writes: `total += loss`.
  bool Rebased = T && Via && T->History != Border;
  if (!Via) {
    if (Loop)
      D.Message = "backward() runs again on a loss whose graph it freed";
  } else if (Loop) {
    D.Culprit = Rebased ? N.At : T && T->KeptAt ? T->KeptAt : T && T->Made ? T->Made : N.At;
    D.Message = Rebased ? "'" + N.Operation + "' keeps the graph of an earlier round"
                        : "this keeps a value with its graph, which a later round walks again";
    D.Operation = "keep";
    const Node &Read = S.Nodes[Border];
    if (T && !Rebased && (Read.Operation == "stack" || Read.Operation == "cat") &&
        !Read.Next.empty()) {
      Site Put;
      for (const Edge &E : Read.Next) {
        const Tensor *X = E.From ? &S.Tensors[E.From] : nullptr;
        if (!X || !X->KeptAt || X->KeptIn >= T->KeptIn || (Put && !(Put == X->KeptAt))) {
          Put = {};
          break;
        }
        Put = X->KeptAt;
      }
      if (Put)
        D.Culprit = Put;
    }
    // A detach() there is safe where nothing of its own round reads the value behind it.
    bool ReadLater = Rebased || !T || T->KeptIn == ~0u;
    for (uint32_t I = T ? T->KeptBefore : 0; !ReadLater && I < S.Nodes.size(); ++I)
      if (S.Nodes[{I}].Walked && S.Nodes[{I}].WalkedBy == N.WalkedBy)
        for (const Edge &E : S.Nodes[{I}].Next)
          ReadLater |= E.From == Kept;
    D.Repairable = !ReadLater;
    // A state of several tensors is kept by several lines: one defect, and no fix for one of them.
    for (const Edge &E : S.Nodes[Via].Next)
      if (E.To == Border && E.From && E.From != Kept && S.Tensors[E.From].KeptAt &&
          !(S.Tensors[E.From].KeptAt == D.Culprit)) {
        D.Repairable = false;
        Also.push_back({S.Tensors[E.From].KeptAt, "and so is this"});
      }
  } else {
    std::vector<NodeId> Work{Freed};
    std::vector<bool> Seen(S.Nodes.size());
    bool Wanted = false, AnyLeaf = false;
    while (!Work.empty()) {
      NodeId X = Work.back();
      Work.pop_back();
      if (Seen[X.Value])
        continue;
      Seen[X.Value] = true;
      for (const Edge &E : S.Nodes[X].Next) {
        if (E.To)
          Work.push_back(E.To);
        if (!E.Leaf || !S.Tensors[E.Leaf].LeafRequiresGrad)
          continue;
        AnyLeaf = true;
        for (const Share &Part : life(E.Leaf).Shares)
          Wanted |= Part.Walk == N.WalkedBy;
      }
    }
    NodeId Reader;
    for (uint32_t I = Freed.Value + 1; I < S.Nodes.size() && !Reader; ++I)
      if (S.Nodes[{I}].Walked && S.Nodes[{I}].WalkedBy == N.WalkedBy)
        for (const Edge &E : S.Nodes[{I}].Next)
          if (E.To == Freed)
            Reader = {I};
    if (AnyLeaf && !Wanted && Reader) {
      D.Culprit = entryOf(Reader, Freed);
      D.Message = "'" + S.Nodes[Reader].Operation +
                  "' reads a value without detach(), and its backward() frees the graph that "
                  "another loss needs";
      D.Operation = "read";
    } else {
      D.Operation = "retain";
      D.Repairable = true;
    }
  }
  if (!(D.Culprit == N.At) && !(D.Culprit == N.WalkedAt))
    D.Chain.push_back({D.Culprit, D.Operation == "keep" ? "it is kept here" : "it is read here"});
  D.Chain.insert(D.Chain.end(), Also.begin(), Also.end());
  D.Chain.push_back({N.WalkedAt, "it was walked, and freed, by backward() here"});
  if (Via)
    D.Chain.push_back({S.Nodes[Via].At, "'" + S.Nodes[Via].Operation + "' leads to it again here"});
  D.Chain.push_back({Backward, "backward() walks it again here"});
  return D;
}

} // namespace torch_tidy::autograd
