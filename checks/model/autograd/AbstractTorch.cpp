// Tensors: how they are made, and what is asked of them.
#include "autograd/AbstractTorch.h"

#include "autograd/OperatorTraits.h"

#include <algorithm>
#include <map>

namespace torch_tidy::autograd {

bool overlap(const Region &A, const Region &B) {
  // Selections and chunks count differently, so one of each may meet.
  for (size_t I = 0; I < A.size() && I < B.size(); ++I)
    if (A[I] != B[I] && A[I] >= 0 && B[I] >= 0 && A[I] / FirstChunk == B[I] / FirstChunk)
      return false;
  return true;
}

//===--- making tensors --------------------------------------------------------------------===//

TensorId AbstractTorch::add(Tensor T) {
  if (!T.Memory) {
    T.Memory = S.Storages.add({});
    T.Inference = S.InferenceMode; // an alias is what its source is
    if (S.InferenceMode) {
      S.Storages.edit(T.Memory).InferenceAt = S.GradModeOffAt;
      T.Count = S.Counters.add({});
      S.Counters.edit(T.Count).None = true;
    }
  }
  if (!T.Count)
    T.Count = S.Counters.add({});
  if (!T.Kin)
    T.Kin = S.Families.add({});
  T.FamilyVersion = S.Families[T.Kin].Version;
  StorageId Memory = T.Memory;
  FamilyId Kin = T.Kin;
  TensorId Result = S.Tensors.add(std::move(T));
  if (!S.Families[Kin].Base)
    S.Families.edit(Kin).Base = Result;
  S.Storages.edit(Memory).Tensors.push_back(Result);
  return Result;
}

TensorId AbstractTorch::leaf(Site At, std::string MadeBy, bool RequiresGrad) {
  Tensor T;
  T.Made = At;
  T.MadeBy = std::move(MadeBy);
  T.LeafRequiresGrad = RequiresGrad;
  return add(std::move(T));
}

TensorId AbstractTorch::untracked(Site At, std::string Why) {
  Tensor T;
  T.Opaque = true;
  T.Made = At;
  T.MadeBy = std::move(Why);
  T.Untracked = true;
  return add(std::move(T));
}

void AbstractTorch::markZero(TensorId T, Site At) {
  Storage &M = S.Storages.edit(S.Tensors[T].Memory);
  M.Zero = true;
  M.WhyZero = {At, "zeros"};
}

TensorId AbstractTorch::detached(Operand T, Alias How, Site At, const std::string &Name,
                                 CutBy By) {
  const Tensor From = S.Tensors[T.T];
  NodeId Source = From.History;
  // See Note [Lost terms]: only what is one element already can be the twin of a tracked term.
  NodeId Twin = From.Scalar || (By == CutBy::Number && How == Alias::Detach) ? Source : NodeId();
  Tensor New;
  New.Memory = From.Memory;
  // data() and raw pointers get a counter of their own; an alias of such an alias keeps that one.
  // So does, outside of inference mode, an alias of a tensor that has none.
  if (S.Counters[From.Count].None ? S.InferenceMode : How == Alias::Detach)
    New.Count = From.Count;
  New.Where = From.Where;
  New.Through = From.Through > How ? From.Through : How;
  New.AliasMade = From.Through > How ? From.AliasMade : At;
  New.Made = At;
  New.MadeBy = From.MadeBy;
  New.Untracked = From.Untracked;
  New.Opaque = From.Opaque;
  New.OfGradient = From.OfGradient;
  New.Scalar = From.Scalar || (By == CutBy::Number && How == Alias::Detach);
  New.Integral = From.Integral;
  New.Inference = From.Inference;
  TensorId Result = add(std::move(New));
  bool Repair = Repaired.count(At.Number);
  if (Repair && Source)
    setHistory(Result, Source);
  mergeDependences(Result, T, /*Cut=*/!Repair, At,
                   !Name.empty()          ? Name
                   : How == Alias::Detach ? "detach()"
                                          : "data()",
                   How,
                   /*InPlace=*/false, By, Twin);
  if (const auto &Cut = S.Tensors[Result].Depends;
      Cut && By == CutBy::Alias && std::any_of(Cut->begin(), Cut->end(), [](const auto &E) {
        return E.second.Derivative;
      })) { // a constant by intent
    Dependences D = *Cut;
    for (auto &[P, E] : D)
      E.Derivative = false;
    S.Tensors.edit(Result).Depends = std::make_shared<const Dependences>(std::move(D));
  }
  return Result;
}

Operand AbstractTorch::number(const std::vector<Operand> &From, Site At) {
  Tensor New;
  New.Made = At;
  New.MadeBy = "number";
  New.Scalar = true;
  for (const Operand &X : From) {
    New.Untracked |= S.Tensors[X.T].Untracked;
    New.Opaque |= S.Tensors[X.T].Opaque || (requiresGrad(X.T) && From.size() > 1);
    New.OfGradient |= S.Tensors[X.T].OfGradient;
  }
  TensorId Result = add(std::move(New));
  // A number that kept its history was read by an item() whose repair is assumed.
  const bool Repair = From.size() == 1 && requiresGrad(From[0].T);
  if (Repair)
    setHistory(Result, S.Tensors[From[0].T].History);
  for (const Operand &X : From)
    mergeDependences(Result, X, /*Cut=*/!Repair, At, "a number", Alias::None, false, CutBy::Number,
                     S.Tensors[X.T].History);
  return bind(Result);
}

/// autograd::grad(): a value that depends on every parameter of the function that was
/// differentiated, but has a history only where create_graph asked for one.
Operand AbstractTorch::gradientValue(Operand Output, Operand Input, bool CreateGraph, Site At) {
  Tensor New;
  New.Made = At;
  New.MadeBy = "grad";
  New.OfGradient = true;
  for (Operand X : {Output, Input})
    if (X.T) {
      New.Untracked |= S.Tensors[X.T].Untracked;
      New.Opaque |= S.Tensors[X.T].Opaque;
    }
  TensorId R = add(std::move(New));
  for (Operand X : {Output, Input})
    if (X.T)
      mergeDependences(R, X, !CreateGraph, At, "torch::autograd::grad() without create_graph",
                     Alias::None, false, CutBy::Operator);
  if (const auto &Cut = S.Tensors[R].Depends; Cut && !CreateGraph && Input.T && !isTrained(Input.T) &&
                                             !S.Tensors[Input.T].IsParameter) {
    Dependences D = *Cut;
    for (auto &[P, E] : D)
      E.Derivative = E.Status == Dependence::Cut && E.At == At;
    S.Tensors.edit(R).Depends = std::make_shared<const Dependences>(std::move(D));
  }
  if (CreateGraph && Output.T && requiresGrad(Output.T)) {
    NodeId N = addNode("grad", At);
    for (Operand X : {Output, Input})
      if (X.T && requiresGrad(X.T))
        connect(N, X, -1);
    setHistory(R, N);
    S.Families.edit(S.Tensors[R].Kin).RequiresGrad = true;
  }
  return bind(R);
}

TensorId AbstractTorch::viewOf(Operand Base, Site At, std::string Name, bool Multi,
                               const Region &Part) {
  const Tensor From = S.Tensors[Base.T];
  Tensor New;
  New.Memory = From.Memory;
  New.Count = From.Count;
  New.Where = From.Where;
  New.Untracked = From.Untracked;
  New.Opaque = From.Opaque;
  New.OfGradient = From.OfGradient;
  New.Scalar = From.Scalar && Name != "expand";
  New.BlobAt = From.BlobAt;
  New.BlobEpoch = From.BlobEpoch;
  New.Integral = From.Integral;
  New.Inference = From.Inference;
  New.Through = From.Through;
  New.AliasMade = From.AliasMade;
  New.Made = At;
  New.MadeBy = Name;
  New.DirtyMemory = From.DirtyMemory;
  New.Dirty = From.Dirty;
  New.MultiView = Multi;
  New.Turned = From.Turned || Name == "transpose" || Name == "permute" || Name == "movedim" ||
               Name == "moveaxis" || Name == "swapaxes" || Name == "swapdims" || Name == "mT";
  New.Where.insert(New.Where.end(), Part.begin(), Part.end());
  bool Grad = requiresGrad(Base.T) && !From.Inference;
  // A view of a view keeps its creation_meta.
  New.MultiView |= From.MultiView;
  New.FunctionView = From.FunctionView;
  New.NoGradView = From.NoGradView || !S.GradMode;
  New.IsView = !From.Inference; // as_view(): inference tensors have no differentiable views
  New.ViewVersion = version(Base.T);
  if (New.IsView)
    New.Kin = From.Kin;
  if (From.Inference && !S.Counters[From.Count].None) {
    New.Count = S.Counters.add({}); // has none, whatever data() gave its base
    S.Counters.edit(New.Count).None = true;
  }
  TensorId Result = add(std::move(New));
  if (S.GradMode && Grad) {
    NodeId N = addNode(Name, At);
    S.Nodes.edit(N).View = true;
    connect(N, Base, 0);
    noteOperand(N, Base);
    Tensor &T = S.Tensors.edit(Result);
    T.History = N;
    T.FamilyVersion = S.Families[T.Kin].Version;
  }
  mergeDependences(Result, Base, !S.GradMode, S.GradModeOffAt ? S.GradModeOffAt : At,
                   Name + " under no-grad", Alias::None, false, CutBy::Guard);
  mergeTerms(Result, Name, {{0, Base}}, At);
  return Result;
}

Operand AbstractTorch::bind(TensorId T) const {
  if (!T)
    return {};
  return {T, static_cast<uint32_t>(S.Storages[S.Tensors[T].Memory].Writes.size())};
}

//===--- questions -------------------------------------------------------------------------===//

bool AbstractTorch::requiresGrad(TensorId Id) const {
  if (!Id)
    return false;
  const Tensor &T = S.Tensors[Id];
  if (T.LeafRequiresGrad || T.History)
    return true;
  // DifferentiableViewMeta::requires_grad(): a view does whenever its base does, also one that was
  // made under no-grad and has no history.
  const Family &F = S.Families[T.Kin];
  if (T.IsView)
    return F.Base && F.Base != Id && requiresGrad(F.Base);
  // A base whose view was written in place with history.
  return F.RequiresGrad && F.Version > T.FamilyVersion;
}

bool AbstractTorch::isLeaf(TensorId Id) const {
  if (!Id || !requiresGrad(Id))
    return true;
  // A view's grad_fn is regenerated when somebody asks for it, and is_leaf() does not ask.
  const Tensor &T = S.Tensors[Id];
  return !T.History && (T.IsView || S.Families[T.Kin].Version <= T.FamilyVersion);
}

uint32_t AbstractTorch::version(TensorId T) const {
  return static_cast<uint32_t>(S.Counters[S.Tensors[T].Count].Bumps.size());
}

Dependences AbstractTorch::dependences(TensorId Id) const {
  if (!Id)
    return {};
  const Tensor &T = S.Tensors[Id];
  Dependences D = T.Depends ? *T.Depends : Dependences();
  if (T.LeafRequiresGrad) {
    auto It = std::lower_bound(D.begin(), D.end(), Id,
                               [](const auto &E, TensorId X) { return E.first < X; });
    if (It == D.end() || It->first != Id)
      D.insert(It, {Id, Dependence()});
    else
      It->second = Dependence();
  }
  return D;
}

bool AbstractTorch::isZero(TensorId T) const {
  return T && S.Storages[S.Tensors[T].Memory].Zero;
}

const ZeroCause &AbstractTorch::whyZero(TensorId T) const {
  return S.Storages[S.Tensors[T].Memory].WhyZero;
}

/// Whether autograd, or a gradient, has anything to do with this storage.
bool AbstractTorch::matters(StorageId Memory) const {
  const Storage &M = S.Storages[Memory];
  return M.Saved || std::any_of(M.Tensors.begin(), M.Tensors.end(), [&](TensorId T) {
           const Tensor &X = S.Tensors[T];
           return X.IsParameter || X.LeafRequiresGrad || X.History ||
                  (X.Depends && !X.Depends->empty());
         });
}

} // namespace torch_tidy::autograd
