// Defects that are none until a value arrives at a loss: Note [Suspicions] in State.h.
#include "autograd/AbstractTorch.h"

#include <algorithm>

namespace torch_tidy::autograd {

void AbstractTorch::read(TensorId T) {
  if (!T)
    return;
  uint32_t Memory = S.Tensors[T].Memory.Value;
  if (ReadAt.size() <= Memory)
    ReadAt.resize(Memory + 64);
  ReadAt[Memory] = ++Clock;
}

namespace {

void include(std::shared_ptr<const Suspicions> &To, uint32_t New) {
  Suspicions All = To ? *To : Suspicions();
  auto It = std::lower_bound(All.begin(), All.end(), New);
  if (It != All.end() && *It == New)
    return;
  All.insert(It, New);
  To = std::make_shared<const Suspicions>(std::move(All));
}

} // namespace

void AbstractTorch::suspect(TensorId T, Suspicion D) {
  uint32_t Index = static_cast<uint32_t>(S.Suspected.size());
  S.Suspected.push_back(std::move(D));
  include(S.Storages.edit(S.Tensors[T].Memory).Suspects, Index);
  ++S.Effects;
}

/// A value without a history was computed from what an older handle of written memory holds: it is
/// another value than it was meant to be. See Note [Old handles].
void AbstractTorch::suspectOldHandle(const Operand &Result, const Operand &From,
                                     const std::string &Reader, Site At) {
  const Tensor &T = S.Tensors[From.T];
  if (!Result.T || T.Untracked || T.Through != Alias::None)
    return;
  const int Index = surprisingWrite(From, Reader);
  if (Index < 0 || Repaired.count(S.Storages[T.Memory].Writes[Index].At.Number))
    return;
  Node Read;
  Read.Operation = Reader;
  Read.At = At;
  Suspicion New;
  New.What = changedBehind(Read, T.Memory, static_cast<unsigned>(Index), DefectKind::OldHandleRead, {});
  New.What.Chain.pop_back(); // the backward() that the value arrives at
  include(S.Tensors.edit(Result.T).Suspects, static_cast<uint32_t>(S.Suspected.size()));
  S.Suspected.push_back(std::move(New));
  ++S.Effects;
}

void AbstractTorch::accuse(Suspicion D) {
  D.Arrived = true;
  S.Suspected.push_back(std::move(D));
  ++S.Effects;
}

/// What T carries has had its effect: on a loss, or on the weights themselves, which are then stepped
/// by what is left of the old ones.
void AbstractTorch::arrive(TensorId T, ChainEvent By, bool AtWeights) {
  for (const auto &Part : {S.Tensors[T].Suspects, S.Storages[S.Tensors[T].Memory].Suspects})
    if (Part)
      for (uint32_t I : *Part)
        if (Suspicion &X = S.Suspected[I]; !X.Arrived) {
          X.Arrived = true;
          X.What.Chain.push_back(By);
          if (AtWeights && X.What.Kind == DefectKind::SharedSnapshot)
            X.What.Effect = Outcome::Stale;
        }
}

bool AbstractTorch::carries(TensorId T, uint32_t Index) const {
  for (const auto &Part : {S.Tensors[T].Suspects, S.Storages[S.Tensors[T].Memory].Suspects})
    if (Part && std::binary_search(Part->begin(), Part->end(), Index))
      return true;
  return false;
}

/// Values computed from T go on to carry it, without harm: it never arrives.
void AbstractTorch::withdraw(TensorId T, uint32_t Index) {
  std::shared_ptr<const Suspicions> &Of = S.Storages.edit(S.Tensors[T].Memory).Suspects;
  Suspicions Rest;
  for (uint32_t I : *Of)
    if (I != Index)
      Rest.push_back(I);
  Of = Rest.empty() ? nullptr : std::make_shared<const Suspicions>(std::move(Rest));
  S.Suspected[Index].Withdrawn = true;
}

void AbstractTorch::mergeSuspects(TensorId Into, const Operand &From) {
  if (!From.T || !Into)
    return;
  // A tensor made earlier on memory that was filled for a later one holds what belongs to that
  // one. Whoever makes a new tensor for each filling takes them for separate; whoever makes one
  // and refills its memory means to read what is there.
  const Tensor Source = S.Tensors[From.T];
  if (Source.BlobAt && S.Storages[Source.Memory].LastBlob > Source.BlobEpoch) {
    uint32_t Index = 0;
    while (Index < S.Suspected.size() && !(S.Suspected[Index].What.Culprit == Source.BlobAt))
      ++Index;
    if (Index == S.Suspected.size()) {
      Suspicion New;
      New.What.Kind = DefectKind::BufferReused;
      New.What.Effect = Outcome::Wrong;
      New.What.Culprit = Source.BlobAt;
      New.What.Message = "tensors that from_blob() made on one buffer are kept while the buffer is "
                         "filled anew: all of them hold its last content";
      New.What.Chain.push_back({Source.BlobAt, "the tensor is made on the buffer here"});
      const std::vector<Write> &Writes = S.Storages[Source.Memory].Writes;
      if (Source.BlobEpoch < static_cast<int>(Writes.size()))
        New.What.Chain.push_back({Writes[Source.BlobEpoch].At, "the buffer is filled anew here"});
      S.Suspected.push_back(std::move(New));
      ++S.Effects;
    }
    include(S.Tensors.edit(Into).Suspects, Index);
  }
  if (S.Suspected.empty())
    return;
  for (auto &Part : {Source.Suspects, S.Storages[Source.Memory].Suspects})
    if (Part)
      for (uint32_t Index : *Part)
        include(S.Tensors.edit(Into).Suspects, Index);
}

TensorId AbstractTorch::blob(StorageId Memory, Site At) {
  Tensor New;
  New.Memory = Memory;
  New.Made = At;
  New.MadeBy = "from_blob";
  New.BlobAt = At;
  TensorId T = add(std::move(New));
  Storage &M = S.Storages.edit(S.Tensors[T].Memory);
  M.LastBlob = static_cast<int>(M.Writes.size());
  S.Tensors.edit(T).BlobEpoch = M.LastBlob;
  return T;
}

void AbstractTorch::fillAnew(StorageId Memory, Site At) {
  Write W;
  W.At = At;
  W.Through = Alias::RawPointer;
  W.Versioned = false;
  W.UnderNoGrad = !S.GradMode;
  W.Operation = "refill";
  if (matters(Memory))
    ++S.Effects;
  S.Storages.edit(Memory).Writes.push_back(std::move(W));
}

void AbstractTorch::useMissingGradient(Site Asked, Site Used) {
  if (Repaired.count(Asked.Number))
    return;
  Defect D{DefectKind::NoGradKept, Outcome::Throws, Asked,
           "grad() of a tensor that is no leaf is undefined without retain_grad()", {}};
  D.Chain.push_back({Asked, "the gradient is asked for here; backward() did not keep it"});
  D.Chain.push_back({Used, "it is used here"});
  D.Operation = "grad";
  raise(std::move(D));
}

} // namespace torch_tidy::autograd
