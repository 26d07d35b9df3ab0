#include "interpreter/joining/Reachable.h"

#include <algorithm>

namespace torch_tidy::model {

using autograd::NodeId;
using autograd::StorageId;

template <typename Id> static bool take(llvm::BitVector &Set, Id I) {
  if (!I || I.Value >= Set.size() || Set.test(I.Value))
    return false;
  Set.set(I.Value);
  return true;
}

Reachable::Reachable(const ProgramState &S, const Roots &From)
    : S(S), Cells(S.Cells.size()), Objects(S.Objects.size()), DeadCells(S.Cells.size()),
      DeadObjects(S.Objects.size()), ValueCells(S.Cells.size()), Tensors(S.Torch.Tensors.size()),
      Storages(S.Torch.Storages.size()), Counters(S.Torch.Counters.size()),
      Families(S.Torch.Families.size()), Nodes(S.Torch.Nodes.size()) {
  Marks Live{Cells, Objects, true};
  for (CellId C : From.Live)
    mark(Live, C);
  for (const Value &V : From.Held)
    mark(Live, V);
  for (const auto &[D, C] : S.Globals)
    mark(Live, C);
  for (const auto &[C, T] : S.GradientCells)
    mark(Live, C);
  for (const auto &[O, M] : S.Blobs)
    mark(Live, O);
  for (uint32_t I = 0; I < S.Objects.size(); ++I)
    switch (S.Objects[{I}].K) {
    case Object::Module:
    case Object::Optimizer:
    case Object::Scaler:
    case Object::Guard:
      mark(Live, ObjectId{I});
      break;
    default:
      break;
    }
  run(Live);
  markTorch();
  Marks Dead{DeadCells, DeadObjects, false};
  for (CellId C : From.Dead)
    mark(Dead, C);
  run(Dead);
  for (CellId C : From.Values)
    take(ValueCells, C);
}

void Reachable::mark(const Marks &To, CellId C) {
  if (take(To.Cells, C))
    CellWork.push_back(C);
}

void Reachable::mark(const Marks &To, ObjectId O) {
  if (take(To.Objects, O))
    ObjectWork.push_back(O);
}

void Reachable::mark(const Marks &To, const Value &V) {
  switch (V.K) {
  case Value::Object:
    mark(To, V.O);
    break;
  case Value::Pointer:
    mark(To, V.C);
    break;
  default:
    break;
  }
  if (To.Torch)
    mark(V.T.T);
}

void Reachable::run(const Marks &To) {
  while (!CellWork.empty() || !ObjectWork.empty()) {
    if (!CellWork.empty()) {
      CellId C = CellWork.back();
      CellWork.pop_back();
      mark(To, S.Cells[C]);
      continue;
    }
    const Object &O = S.Objects[ObjectWork.back()];
    ObjectWork.pop_back();
    for (const auto *L : {&O.Fields, &O.Parameters, &O.Buffers, &O.Members})
      for (const auto &[N, C] : *L)
        mark(To, C);
    for (CellId C : O.Elements)
      mark(To, C);
    for (const Value &K : O.Keys)
      mark(To, K);
    for (const auto &[N, V] : O.Children)
      mark(To, V);
    for (const auto &[D, C] : O.Captures)
      mark(To, C);
    mark(To, O.This);
    for (const auto *L : {&O.Over, &O.ParametersOf})
      for (ObjectId X : *L)
        mark(To, X);
    if (To.Torch)
      for (autograd::TensorId T : O.Held)
        mark(T);
  }
}

void Reachable::mark(autograd::TensorId T) {
  if (take(Tensors, T))
    TensorWork.push_back(T);
}

void Reachable::mark(NodeId N) {
  if (take(Nodes, N))
    NodeWork.push_back(N);
}

void Reachable::mark(StorageId M) {
  if (take(Storages, M))
    mark(S.Torch.Storages[M].GradientOf);
}

void Reachable::markTorch() {
  const autograd::State &T = S.Torch;
  for (autograd::TensorId P : T.Parameters)
    mark(P);
  for (autograd::TensorId P : T.Retained)
    mark(P);
  for (const autograd::OptimizerRecord &R : T.Optimizers)
    for (autograd::TensorId P : R.Held)
      mark(P);
  for (const autograd::Rebinding &R : T.Rebindings) {
    mark(R.Old);
    mark(R.New);
  }
  for (const autograd::OrderSuspicion &Q : T.OrderSuspicions)
    mark(Q.Parameter);
  for (const autograd::CastRecord &C : T.Casts)
    mark(C.Parameter);
  while (!TensorWork.empty() || !NodeWork.empty()) {
    if (!TensorWork.empty()) {
      const autograd::Tensor &X = T.Tensors[TensorWork.back()];
      TensorWork.pop_back();
      mark(X.Memory);
      mark(X.DirtyMemory);
      take(Counters, X.Count);
      if (take(Families, X.Kin)) {
        mark(T.Families[X.Kin].History);
        mark(T.Families[X.Kin].Base);
      }
      mark(X.History);
      mark(X.GradTensor);
      mark(X.CopiedFrom);
      mark(X.ComputedFrom);
      if (X.Depends)
        for (const auto &[P, D] : *X.Depends)
          mark(P);
      if (X.FromGradients)
        for (autograd::TensorId P : *X.FromGradients)
          mark(P);
      continue;
    }
    const autograd::Node &N = T.Nodes[NodeWork.back()];
    NodeWork.pop_back();
    mark(N.DirtyMemory);
    for (const autograd::Edge &E : N.Next) {
      mark(E.To);
      mark(E.Leaf);
    }
    if (N.Freed)
      continue; // nobody looks at what it saved
    for (const autograd::SavedValue &V : N.Saved) {
      mark(V.Value);
      mark(V.Memory);
      take(Counters, V.Count);
      if (V.Memory) {
        auto [It, New] = Watched.insert({V.Memory.Value, V.Epoch});
        if (!New)
          It->second = std::min(It->second, V.Epoch);
      }
    }
  }
}

} // namespace torch_tidy::model
