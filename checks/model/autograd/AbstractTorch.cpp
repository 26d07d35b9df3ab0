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
    // A number that kept its history was read by an item() whose repair is assumed.
    New.Opaque |= S.Tensors[X.T].Opaque || requiresGrad(X.T);
    New.OfGradient |= S.Tensors[X.T].OfGradient;
  }
  TensorId Result = add(std::move(New));
  for (const Operand &X : From)
    mergeDependences(Result, X, /*Cut=*/true, At, "a number", Alias::None, false, CutBy::Number,
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

//===--- the tape --------------------------------------------------------------------------===//

NodeId AbstractTorch::addNode(std::string Operation, Site At) {
  Node N;
  N.Operation = std::move(Operation);
  N.At = At;
  N.Born = S.Steps;
  N.Frame = Frame;
  ++S.Effects;
  return S.Nodes.add(std::move(N));
}

/// Note [Views and history]
/// A base and its differentiable views share one history cell. An in-place write through any of
/// them rebases it; the others notice by comparing versions and get a fresh node the next time
/// somebody asks for their history (autograd regenerates the grad_fn of a view in the same way).
NodeId AbstractTorch::historyOf(TensorId Id) {
  const Tensor &T = S.Tensors[Id];
  const Family &F = S.Families[T.Kin];
  // VariableHooks::grad_fn(): a view without a history of its own is looked after while its base
  // requires grad, one with a history always.
  bool Outdated = T.IsView ? version(Id) != T.ViewVersion &&
                                 (T.History || (F.Base && requiresGrad(F.Base)))
                           : F.History && F.Version > T.FamilyVersion;
  if (!Outdated)
    return T.History;
  if (T.IsView && (T.MultiView || T.NoGradView)) {
    // variable.cpp, handle_view_on_rebase (indirect): such a view cannot get a new grad_fn.
    Site Writer;
    std::string Operation;
    if (T.ViewVersion < S.Counters[T.Count].Bumps.size()) {
      auto [Memory, Index] = S.Counters[T.Count].Bumps[T.ViewVersion];
      Writer = S.Storages[Memory].Writes[Index].At;
      Operation = S.Storages[Memory].Writes[Index].Operation;
    }
    if (!T.Untracked && !Repaired.count(Writer.Number)) {
      Defect D{DefectKind::MultiViewWritten, Outcome::Throws, Writer,
               "in-place '" + Operation + "' writes to a relative of " +
                   (T.MultiView ? "one of several views returned by '" + T.MadeBy + "'"
                                : std::string("a view made under no-grad")) +
                   ", which is used afterwards"};
      D.Chain.push_back({T.Made, "the view is made here"});
      D.Chain.push_back({Writer, "a relative is written in place here"});
      D.InPlace = true;
      D.Operation = Operation;
      raise(std::move(D));
    }
    return T.History;
  }
  NodeId N = addNode(T.IsView ? "as_strided" : "copy_slices", T.Made);
  Edge E;
  E.From = S.Families[S.Tensors[Id].Kin].Base;
  const Tensor &Base = S.Tensors[E.From];
  if (NodeId H = S.Families[Base.Kin].History)
    E.To = H;
  else if (Base.History)
    E.To = Base.History;
  else if (Base.LeafRequiresGrad)
    E.Leaf = S.Families[Base.Kin].Base;
  S.Nodes.edit(N).View = true;
  S.Nodes.edit(N).Next.push_back(std::move(E));
  Tensor &W = S.Tensors.edit(Id);
  W.History = N;
  W.FamilyVersion = S.Families[W.Kin].Version;
  W.ViewVersion = static_cast<uint32_t>(S.Counters[W.Count].Bumps.size());
  return N;
}

/// Node::should_compute_output(): whether a gradient along this operand would arrive anywhere. A view
/// made under no-grad requires grad as its base does, and leads nowhere.
bool AbstractTorch::hasGradientEdge(TensorId T) {
  return requiresGrad(T) && (historyOf(T) || S.Tensors[T].LeafRequiresGrad);
}

void AbstractTorch::connect(NodeId N, Operand From, int Argument, const ZeroCause *Zero) {
  Edge E;
  E.From = From.T;
  E.Argument = Argument;
  E.Zero = Zero != nullptr;
  if (Zero)
    E.Cause = *Zero;
  if (NodeId H = historyOf(From.T)) {
    if (!Repaired.empty() && !DetachedReads.empty())
      if (Site Entry = entryOf(N, H);
          DetachedReads.count(Entry.Number) && Repaired.count(Entry.Number))
        return;
    E.To = H;
  }
  else if (S.Tensors[From.T].LeafRequiresGrad)
    E.Leaf = From.T;
  else
    return; // a view made under no-grad requires grad as its base does, and leads nowhere
  S.Nodes.edit(N).Next.push_back(std::move(E));
}

void AbstractTorch::save(NodeId N, TensorId Id, bool IsResult, std::vector<int> NeededFor,
                         bool Perhaps, int Argument) {
  const Tensor &T = S.Tensors[Id];
  if (T.Untracked)
    return; // whether it is the saved tensor itself is not known
  Site Guard = S.Storages[T.Memory].InferenceAt;
  if (T.Inference && !Repaired.count(Guard.Number) && !Repaired.count(T.Made.Number)) {
    // saved_variable.cpp
    Defect D{DefectKind::InferenceTensor, Outcome::Throws, Guard ? Guard : T.Made,
             "a tensor made in inference mode is needed for backward by '" +
                 S.Nodes[N].Operation + "', and cannot be saved"};
    D.By = CutBy::Guard;
    D.Chain.push_back({T.Made, "the tensor is made in inference mode here"});
    D.Chain.push_back({S.Nodes[N].At, "'" + S.Nodes[N].Operation + "' wants to save it here"});
    D.Operation = S.Nodes[N].Operation;
    raise(std::move(D));
    return;
  }
  S.Storages.edit(T.Memory).Saved = true;
  SavedValue V;
  V.Value = Id;
  V.Memory = T.Memory;
  V.Count = T.Count;
  V.Where = T.Where;
  V.Version = version(Id);
  V.Epoch = static_cast<uint32_t>(S.Storages[T.Memory].Writes.size());
  V.IsResult = IsResult;
  V.HadHistory = static_cast<bool>(T.History);
  V.NeededFor = std::move(NeededFor);
  V.Perhaps = Perhaps;
  V.Argument = Argument;
  S.Nodes.edit(N).Saved.push_back(std::move(V));
}

/// Note [Inference tensors]
/// A tensor that was made in inference mode has no autograd keys, so an operator whose tensors are
/// all of that kind is dispatched past autograd, in normal mode too: nothing is recorded or saved,
/// whatever their requires_grad says, and its result is an ordinary tensor. Next to an ordinary
/// tensor they are operands like others, but cannot be saved. (Measured; c10/core/InferenceMode.h.)
bool AbstractTorch::passesAutogradBy(const std::vector<Argument> &Arguments) const {
  bool Any = false;
  for (const Argument &A : Arguments)
    for (const Operand &X : A.Tensors)
      if (X.T) {
        if (!S.Tensors[X.T].Inference)
          return false;
        Any = true;
      }
  return Any;
}

/// Carries to the node what is wrong with an operand's value.
void AbstractTorch::noteOperand(NodeId N, const Operand &From) {
  const Tensor &T = S.Tensors[From.T];
  const Storage &M = S.Storages[T.Memory];
  if (T.Untracked || S.Nodes[N].DirtyWrite >= 0)
    return;
  // Note [Old handles]
  // An activation called with inplace(true) hands back its argument. Who goes on reading the
  // argument through a handle bound before the call reads the activated value: the residual branch
  // that opens with an in-place activation. A write whose result is discarded is meant as a write
  // (WriteKind::User), and reading it afterwards is no defect: with one exception. Who copies a
  // variable to a second name (`auto skip = h;`), writes through the first (`h.relu_();`) and reads
  // the second kept it for what it was before. The other way round, writing through the second name
  // (`auto w = fc->weight; w.mul_(2);`), as through a parameter of a function, is how one writes;
  // unless the variable is given the result (`h = h.tanh_();`): then the new value was meant for it
  // alone.
  auto Surprises = [&](const Write &W) {
    // A rectifier that reads what another one left finds the positive part as it was.
    if (W.SameContent || (traitsOf(W.Operation).KeepsPositivePart &&
                          traitsOf(S.Nodes[N].Operation).ReadsPositivePart))
      return false;
    return W.Kind == WriteKind::Activation ||
           (((From.Kept && !W.ByKept) || W.Rebinds) && W.Kind == WriteKind::User && W.Tracked &&
            W.Through == Alias::None && T.Through == Alias::None);
  };
  for (size_t I = From.Seen; I < M.Writes.size(); ++I)
    if (Surprises(M.Writes[I]) && overlap(M.Writes[I].Where, T.Where)) {
      Node &W = S.Nodes.edit(N);
      W.DirtyMemory = T.Memory;
      W.DirtyWrite = static_cast<int>(I);
      W.DirtyHandle = M.Writes[I].Tracked;
      W.DirtyView = T.IsView && M.Writes[I].Kind == WriteKind::User;
      return;
    }
  if (T.Dirty >= 0 && requiresGrad(From.T)) {
    Node &W = S.Nodes.edit(N);
    W.DirtyMemory = T.DirtyMemory;
    W.DirtyWrite = T.Dirty;
  }
}

void AbstractTorch::setHistory(TensorId Id, NodeId N) {
  Tensor &T = S.Tensors.edit(Id);
  T.History = N;
  T.FamilyVersion = S.Families[T.Kin].Version;
  T.ViewVersion = static_cast<uint32_t>(S.Counters[T.Count].Bumps.size());
}

/// A view or a copy of the leaf, or the leaf itself.
bool AbstractTorch::isCopyOf(TensorId T, TensorId Leaf) const {
  if (T == Leaf)
    return true;
  for (NodeId N = S.Tensors[T].History; N;) {
    const Node &Step = S.Nodes[N];
    if (Step.Next.size() != 1 || !(Step.View || traitsOf(Step.Operation).UsuallyCopies))
      return false;
    N = Step.Next[0].To;
    if (!N)
      return Step.Next[0].Leaf == Leaf;
  }
  return false;
}

void AbstractTorch::mergeDependences(TensorId Into, const Operand &From, bool Cut, Site At,
                                     const std::string &How, Alias Through, bool InPlace,
                                     CutBy By, NodeId CutOff) {
  read(From.T);
  mergeSuspects(Into, From);
  mergeGradientSources(Into, From);
  Dependences Source = dependences(From.T);
  if (Source.empty())
    return;
  const Tensor &T = S.Tensors[Into];
  Dependences Result = T.Depends ? *T.Depends : Dependences();
  for (auto &[P, D] : Source) {
    if (Cut && D.Status == Dependence::Live) {
      D.Status = Dependence::Cut;
      D.At = At;
      D.How = How;
      D.Through = Through;
      D.InPlace = InPlace;
      D.By = By;
      D.From = CutOff;
      D.OfItself = isCopyOf(From.T, P);
    }
    auto It = std::lower_bound(Result.begin(), Result.end(), P,
                               [](const auto &E, TensorId X) { return E.first < X; });
    if (It == Result.end() || It->first != P)
      Result.insert(It, {P, D});
    else if (D.Status < It->second.Status)
      It->second = D;
  }
  S.Tensors.edit(Into).Depends = std::make_shared<const Dependences>(std::move(Result));
}

/// Note [Lost terms]
/// A number that is added to a loss shifts it and leaves every gradient as it was. So where a
/// value of one element that was cut off the tape is added to one that is on it, and the sum gets
/// to the root of a backward() through nothing but sums and constant factors, adding it had no
/// effect at all: the author wanted the gradient of that term. Anything else that a cut value does
/// (a factor, a target, a threshold, an element-wise baseline) has its effect without a gradient
/// and is none of these. Nor is a term whose tracked original is in the sum as well, the trick
/// `x - x.detach()`: its node is walked (finish()).
/// A derivative with respect to an input (autograd::grad() without create_graph) is a number to the
/// parameters, too. Element by element it is lost where it is added to a value that trains the same
/// parameters, as in the residual of a differential equation, and the sum gets to the loss without
/// meeting parameters on the way: a perturbed input or feature does meet some, and is meant.
void AbstractTorch::mergeTerms(TensorId Into, std::string_view Operator,
                               const std::vector<std::pair<int, Operand>> &Operands, Site At) {
  const Traits &Trait = traitsOf(Operator);
  auto TermsOf = [&](const Operand &X) { return X.T ? S.Tensors[X.T].LostTerms : nullptr; };
  std::vector<LostTerm> Terms;
  auto Keep = [&](const LostTerm &New) {
    for (const LostTerm &Old : Terms)
      if (Old.Added == New.Added && Old.Cut.At == New.Cut.At)
        return;
    Terms.push_back(New);
  };
  bool Parametric = false;
  for (auto &[A, X] : Operands)
    Parametric |= X.T && S.Tensors[X.T].LeafRequiresGrad && isTrained(X.T);
  if (!Parametric)
    for (auto &[A, X] : Operands)
      if (auto T = TermsOf(X))
        for (const LostTerm &Old : *T)
          if (Old.Elementwise)
            Keep(Old);
  if (Operator == "add" || Operator == "sub" || Operator == "rsub")
    for (auto &[A, X] : Operands)
      for (auto &[P, D] : dependences(X.T))
        for (auto &[B, Y] : Operands)
          if (D.Derivative && A != B && Y.T && Y.T != P && requiresGrad(Y.T)) {
            Dependences Other = dependences(Y.T);
            if (std::any_of(Other.begin(), Other.end(), [&](const auto &E) {
                  return E.first == P && E.second.Status == Dependence::Live;
                }))
              Keep({D, {D.From}, {P}, {D}, At, /*Elementwise=*/true});
          }
  auto Set = [&] {
    if (!Terms.empty())
      S.Tensors.edit(Into).LostTerms =
          std::make_shared<const std::vector<LostTerm>>(std::move(Terms));
    else if (S.Tensors[Into].LostTerms)
      S.Tensors.edit(Into).LostTerms = nullptr;
  };
  if (Trait.Scales) {
    // One factor carries the terms; the others must be constants.
    const std::shared_ptr<const std::vector<LostTerm>> *Found = nullptr;
    std::shared_ptr<const std::vector<LostTerm>> Of;
    for (auto &[A, X] : Operands) {
      if (auto T = TermsOf(X); T && !Found) {
        Of = T;
        Found = &Of;
      } else if (requiresGrad(X.T) || !dependences(X.T).empty()) {
        return Set();
      }
    }
    if (Of)
      for (const LostTerm &T : *Of)
        Keep(T);
  } else if (Trait.Sums || Trait.PassesSum) {
    for (auto &[A, X] : Operands) {
      if (auto T = TermsOf(X))
        for (const LostTerm &Old : *T)
          Keep(Old);
      if (!Trait.Sums || !X.T || !S.Tensors[X.T].Scalar || requiresGrad(X.T))
        continue;
      LostTerm New;
      for (auto &[P, D] : dependences(X.T)) {
        if (D.Status != Dependence::Cut || !D.At)
          continue;
        if (New.Parameters.empty())
          New.Cut = D;
        New.Parameters.push_back(P);
        New.From.push_back(D.From);
        New.Cuts.push_back(D);
      }
      New.Added = At;
      if (!New.Parameters.empty())
        Keep(New);
    }
  }
  Set();
}

/// Whether a result is known to have one element.
bool AbstractTorch::isScalar(const facts::OpFact &Op, const std::vector<Argument> &Arguments,
                             const CallOptions &Options) const {
  const Traits &Trait = traitsOf(Op.Name);
  if (Trait.Reduces) {
    if (Options.Unreduced)
      return false;
    for (size_t A = 0; A < Op.Arguments.size(); ++A) {
      if (Op.Arguments[A].Name == "dim")
        return false;
      if (Op.Arguments[A].Name == "reduction" && A < Arguments.size() && Arguments[A].Constant &&
          *Arguments[A].Constant == 0)
        return false;
    }
    return true;
  }
  if (Trait.Enlarges)
    return false;
  bool Any = false;
  for (const Argument &A : Arguments) {
    for (const Operand &X : A.Tensors) {
      if (X.T && !S.Tensors[X.T].Scalar)
        return false;
      Any |= static_cast<bool>(X.T);
    }
    Any |= !A.Numbers.empty();
  }
  return Any;
}

void AbstractTorch::record(Defect D) {
  S.Defects.push_back(std::move(D));
  ++S.Effects;
}

void AbstractTorch::raise(Defect D) {
  record(std::move(D));
  Raised = true;
}

//===--- operators -------------------------------------------------------------------------===//

std::vector<std::vector<Operand>> AbstractTorch::call(const facts::OpFact &Op,
                                                      const std::vector<Argument> &Arguments,
                                                      Site At, const CallOptions &Options) {
  using Output = facts::OpFact::Output;
  std::vector<std::vector<Operand>> Results(std::max<size_t>(Op.Outputs.size(), 1));
  const Traits &Trait = traitsOf(Op.Name);
  castUnderAutocast(std::string(Op.Name), Arguments, At);

  // In-place and out= forms: the writes come first, the results are the written tensors.
  bool Writes = std::any_of(Op.Arguments.begin(), Op.Arguments.end(),
                            [](const auto &A) { return A.Mutated; });
  if (Writes) {
    callInPlace(Op, Arguments, At, Options);
    if (Raised)
      return Results;
    for (size_t O = 0; O < Op.Outputs.size(); ++O) {
      int A = Op.Outputs[O].Argument;
      if (A >= 0 && A < static_cast<int>(Arguments.size()))
        for (const Operand &X : Arguments[A].Tensors)
          Results[O].push_back(bind(X.T));
    }
    return Results;
  }

  std::vector<std::pair<int, Operand>> Operands;
  bool AnyGrad = false, AnyUntracked = false;
  bool PassedBy = passesAutogradBy(Arguments);
  for (size_t A = 0; A < Arguments.size(); ++A)
    for (const Operand &X : Arguments[A].Tensors)
      if (X.T && !Trait.TakesShape) {
        Operands.push_back({static_cast<int>(A), X});
        AnyGrad |= requiresGrad(X.T) && !PassedBy;
        AnyUntracked |= S.Tensors[X.T].Untracked;
      }
  for (size_t A = 0; A < Arguments.size(); ++A)
    for (const Operand &X : Arguments[A].Numbers)
      if (X.T) // an element that was read from a larger tensor is one element
        Operands.push_back({static_cast<int>(A), S.Tensors[X.T].Scalar ? X : number({X}, At)});

  NodeId N;
  for (size_t O = 0; O < Op.Outputs.size(); ++O) {
    const Output &Out = Op.Outputs[O];
    if (Out.Kind == Output::SameAs) {
      if (Out.Argument >= 0 && Out.Argument < static_cast<int>(Arguments.size()))
        Results[O] = Arguments[Out.Argument].Tensors;
      continue;
    }
    if ((Out.Kind == Output::ViewOf || Out.Kind == Output::MaybeView) && Out.Argument >= 0 &&
        Out.Argument < static_cast<int>(Arguments.size()) &&
        !Arguments[Out.Argument].Tensors.empty() && Arguments[Out.Argument].Tensors[0].T) {
      Operand Base = Arguments[Out.Argument].Tensors[0];
      if (Out.Diff == facts::Differentiable::No) {
        Results[O].push_back(bind(detached(Base, Alias::Detach, At)));
        continue;
      }
      if (Out.Kind == Output::ViewOf || !Trait.UsuallyCopies) {
        for (unsigned I = 0, E = Out.List ? Options.ListSize : 1; I < E; ++I) {
          Region Part;
          if (Options.Part)
            Part = *Options.Part;
          else if (Trait.SelectsPart)
            Part = {-1};
          if (Out.List)
            Part.push_back(FirstChunk + static_cast<int>(I));
          Results[O].push_back(
              bind(viewOf(Base, At, std::string(Trait.Name), Out.MultiView, Part)));
          Results[O].back().Kept = Base.Kept;
          Results[O].back().Named = Base.Named;
        }
        continue;
      }
    }
    bool Integral = Trait.IntegralResult || Options.ToIntegral;
    bool Track = AnyGrad && S.GradMode && !S.InferenceMode &&
                 Out.Diff != facts::Differentiable::No && !Options.ToIntegral;
    bool Scalar = isScalar(Op, Arguments, Options);
    for (unsigned I = 0, E = Out.List ? Options.ListSize : 1; I < E; ++I) {
      Tensor New;
      New.Made = At;
      New.MadeBy = Trait.Name;
      New.Untracked = AnyUntracked || !Op.Known;
      New.Integral = Integral;
      New.Scalar = Scalar;
      if ((Trait.CopiesElements || Trait.Name == "clone") && !Arguments.empty() &&
          !Arguments[0].Tensors.empty()) {
        New.CopiedFrom = Arguments[0].Tensors[0].T;
        New.Selected = Trait.CopiesElements;
      }
      for (auto &[A, X] : Operands) {
        New.Opaque |= S.Tensors[X.T].Opaque;
        New.OfGradient |= S.Tensors[X.T].OfGradient;
      }
      TensorId R = add(std::move(New));
      bool Flat = Out.Diff == facts::Differentiable::No || Options.ToIntegral;
      bool Off = !S.GradMode || S.InferenceMode || PassedBy;
      for (auto &[A, X] : Operands)
        if (PassedBy && !S.InferenceMode)
          read(X.T); // nobody expects a gradient of it
        else if (Flat && !Off)
          mergeDependences(R, X, true, At,
                           "'" + std::string(Trait.Name) +
                               (Options.ToIntegral ? "' to an integral type" : "'"),
                           Alias::None, false, CutBy::Operator);
        else
          mergeDependences(R, X, !Track, Off && S.GradModeOffAt ? S.GradModeOffAt : At,
                           "a guard that switches grad mode off", Alias::None, false, CutBy::Guard);
      if (Track) {
        if (!N)
          N = addNode(std::string(Trait.Name), At);
        setHistory(R, N);
        Family &F = S.Families.edit(S.Tensors[R].Kin);
        F.RequiresGrad = true;
        mergeTerms(R, Trait.Name, Operands, At);
      }
      Results[O].push_back(bind(R));
    }
  }

  if (N) {
    // A factor that is known to be zero: what the gradient of A is multiplied by.
    auto ZeroFactorOf = [&](int A) {
      return std::find_if(Operands.begin(), Operands.end(), [&](const auto &P) {
        return P.first != A && isZero(P.second.T) &&
               std::any_of(Op.Saves.begin(), Op.Saves.end(), [&](const facts::Saved &R) {
                 return R.GradientOf == A && R.What == facts::Saved::Input && R.Index == P.first;
               });
      });
    };
    for (auto &[A, X] : Operands) {
      if (!requiresGrad(X.T)) {
        noteOperand(N, X);
        continue;
      }
      std::optional<ZeroCause> Zero;
      if (!Op.Outputs.empty() && Op.Outputs[0].Diff == facts::Differentiable::Zero)
        Zero = ZeroCause{At, std::string(Trait.Name), Alias::None, false, /*Operator=*/true};
      if (Trait.Multiplicative) {
        if (auto Z = ZeroFactorOf(A); Z != Operands.end())
          Zero = whyZero(Z->second.T);
        for (const Argument &C : Arguments)
          if (C.Constant && *C.Constant == 0 && C.Tensors.empty() && Trait.ScalarFactor)
            Zero = ZeroCause{At, "multiplication by 0"};
      }
      bool Power = Trait.Name == "pow" && Arguments.size() > 1 && Arguments[1].Constant &&
                   *Arguments[1].Constant > 1;
      if ((Trait.FlatAtZero || Power) && isZero(X.T))
        Zero = whyZero(X.T);
      connect(N, X, A, Zero ? &*Zero : nullptr);
      if (Raised) // the first operand that raises is the last that is looked at
        return std::vector<std::vector<Operand>>(Results.size());
      noteOperand(N, X);
    }
    bool WithData = false;
    for (size_t A = 0; A < Arguments.size() && A < 2; ++A) {
      const Argument &X = Arguments[A];
      WithData |= X.Tensors.empty() && !X.Constant && A < Op.Arguments.size() &&
                  Op.Arguments[A].Type.starts_with("Scalar");
      for (const Operand &Y : X.Tensors)
        WithData |= Y.T && !requiresGrad(Y.T) && dependences(Y.T).empty();
    }
    S.Nodes.edit(N).WithData = WithData;
    saveFor(N, Op, Arguments, Results, /*InPlaceArgument=*/-1);
  }
  if (Raised)
    return std::vector<std::vector<Operand>>(Results.size());
  if (Trait.NeverNegative ||
      (Trait.KeepsSign && !Operands.empty() &&
       std::all_of(Operands.begin(), Operands.end(), [&](const auto &P) {
         return P.second.T && S.Storages[S.Tensors[P.second.T].Memory].NotNegative;
       }) &&
       std::all_of(Arguments.begin(), Arguments.end(),
                   [](const Argument &C) { return !C.Constant || *C.Constant >= 0; })))
    for (auto &R : Results)
      for (Operand &X : R)
        if (X.T && S.Storages[S.Tensors[X.T].Memory].Writes.empty())
          S.Storages.edit(S.Tensors[X.T].Memory).NotNegative = true;
  if (Trait.KeepsZero || Trait.Multiplicative) {
    bool All = !Operands.empty(), Any = false;
    ZeroCause Why;
    for (auto &[A, X] : Operands) {
      bool Z = isZero(X.T);
      All &= Z;
      Any |= Z;
      if (Z)
        Why = whyZero(X.T);
    }
    if ((Trait.KeepsZero && All) || (Trait.Multiplicative && Trait.ScalarFactor && Any))
      for (auto &R : Results)
        for (Operand &X : R)
          if (S.Storages[S.Tensors[X.T].Memory].Writes.empty()) {
            Storage &M = S.Storages.edit(S.Tensors[X.T].Memory);
            M.Zero = true;
            M.WhyZero = Why;
          }
  }
  return Results;
}

/// Saves for backward what the facts say, given which arguments require grad.
void AbstractTorch::saveFor(NodeId N, const facts::OpFact &Op,
                            const std::vector<Argument> &Arguments,
                            const std::vector<std::vector<Operand>> &Results,
                            int InPlaceArgument) {
  // gen_variable_type.py, guard_for(): what one formula of several uses is saved where a gradient
  // goes along that formula's argument; what all use, or the only one, wherever there is a node.
  auto TensorArguments = std::count_if(Op.Arguments.begin(), Op.Arguments.end(), [](const auto &A) {
    return A.Type.substr(0, 6) == "Tensor";
  });
  auto FormulasUsing = [&](const facts::Saved &Rule) {
    std::set<int> Users;
    for (const facts::Saved &R : Op.Saves)
      if (R.What == Rule.What && R.Index == Rule.Index)
        Users.insert(R.GradientOf);
    return Users.size();
  };
  auto Applies = [&](const facts::Saved &Rule) {
    int A = Rule.GradientOf;
    if (A < 0 || A >= static_cast<int>(Arguments.size()))
      return false;
    bool Guarded = TensorArguments > 1 && FormulasUsing(Rule) == 1;
    return std::any_of(Arguments[A].Tensors.begin(), Arguments[A].Tensors.end(),
                       [&](const Operand &X) {
                         return Guarded ? hasGradientEdge(X.T) : requiresGrad(X.T);
                       });
  };
  std::map<std::pair<facts::Saved::Kind, int>, std::pair<std::vector<int>, bool>> Needed;
  for (const facts::Saved &Rule : Op.Saves)
    if (Applies(Rule)) {
      auto [It, New] = Needed.insert({{Rule.What, Rule.Index}, {{}, true}});
      It->second.first.push_back(Rule.GradientOf);
      It->second.second &= !Rule.Always; // perhaps, unless some rule always holds
    }
  for (const auto &[What, Why] : Needed) {
    auto [Kind, Index] = What;
    const auto &[NeededFor, Perhaps] = Why;
    if (Index < 0)
      continue;
    if (Kind == facts::Saved::Output) {
      if (Index < static_cast<int>(Results.size()))
        for (const Operand &X : Results[Index])
          if (X.T)
            save(N, X.T, true, NeededFor, Perhaps);
    } else if (Index < static_cast<int>(Arguments.size()) && Index != InPlaceArgument) {
      // linear() of more than two dimensions folds all but the last one into one: of what lies in
      // another order that makes a copy (Linear.cpp, _flatten_nd_linear). Two would be saved as they are;
      // how many there are is not known.
      bool Copied = Index == 0 && (Op.Name == "linear" || Op.Name == "Linear");
      for (const Operand &X : Arguments[Index].Tensors)
        if (X.T && !(Copied && S.Tensors[X.T].Turned))
          save(N, X.T, false, NeededFor, Perhaps, Index);
    }
  }
}

void AbstractTorch::callFunction(const std::string &Name, const std::vector<Operand> &Inputs,
                                 const std::vector<bool> &Reached, const std::vector<Operand> &Kept,
                                 const std::vector<Operand> &Results, Site At) {
  bool AnyGrad = false;
  for (const Operand &X : Inputs)
    AnyGrad |= requiresGrad(X.T);
  auto IsInput = [&](const Operand &R) {
    return std::any_of(Inputs.begin(), Inputs.end(),
                       [&](const Operand &X) { return X.T == R.T; });
  };
  NodeId N;
  for (const Operand &R : Results) {
    if (!R.T || IsInput(R) || S.Tensors[R.T].Integral)
      continue;
    // What flowed inside forward flowed without gradients; the node is what connects.
    S.Tensors.edit(R.T).Depends = nullptr;
    for (size_t I = 0; I < Inputs.size(); ++I) {
      bool Off = !S.GradMode;
      mergeDependences(R.T, Inputs[I], Off || !Reached[I],
                       Off && S.GradModeOffAt ? S.GradModeOffAt : At,
                       Off ? "a guard that switches grad mode off"
                           : "the undefined gradient that '" + Name + "' gives back",
                       Alias::None, false, Off ? CutBy::Guard : CutBy::Operator);
    }
    if (!AnyGrad || !S.GradMode)
      continue;
    if (!N) {
      N = addNode(Name, At);
      for (size_t I = 0; I < Inputs.size(); ++I)
        if (Reached[I] && requiresGrad(Inputs[I].T))
          connect(N, Inputs[I], static_cast<int>(I));
      for (const Operand &X : Kept)
        if (X.T)
          save(N, X.T, std::any_of(Results.begin(), Results.end(),
                                   [&](const Operand &Y) { return Y.T == X.T; }),
               {}, false);
    }
    setHistory(R.T, N);
    S.Families.edit(S.Tensors[R.T].Kin).RequiresGrad = true;
  }
}

Operand AbstractTorch::callUnknown(const std::string &Name, const std::vector<Operand> &Operands,
                                   Site At, bool Opaque) {
  Tensor New;
  New.Made = At;
  New.MadeBy = Name;
  New.Untracked = true;
  New.Opaque = Opaque;
  for (const Operand &X : Operands)
    if (X.T)
      New.Opaque |= S.Tensors[X.T].Opaque;
  TensorId R = add(std::move(New));
  bool AnyGrad = false;
  for (const Operand &X : Operands)
    AnyGrad |= requiresGrad(X.T);
  for (const Operand &X : Operands)
    mergeDependences(R, X, !S.GradMode, S.GradModeOffAt ? S.GradModeOffAt : At,
                     "a guard that switches grad mode off", Alias::None, false, CutBy::Guard);
  if (AnyGrad && S.GradMode) {
    NodeId N = addNode(Name, At);
    for (const Operand &X : Operands)
      if (requiresGrad(X.T))
        connect(N, X, -1);
    setHistory(R, N);
    S.Families.edit(S.Tensors[R].Kin).RequiresGrad = true;
  }
  return bind(R);
}

std::vector<Operand> AbstractTorch::callModule(const facts::ModuleFact &Module, bool Training,
                                               bool InPlace, const std::vector<Operand> &Inputs,
                                               const std::vector<Operand> &Parameters,
                                               unsigned Outputs, Site At, const CallOptions &Options) {
  using Output = facts::OpFact::Output;
  // A module is an operator whose arguments are its inputs and its parameters; what it saves is
  // written down per module, because options decide which kernels it runs.
  facts::OpFact Op;
  Op.Name = Module.Name;
  std::vector<Argument> Arguments;
  for (const Operand &X : Inputs) {
    Op.Arguments.push_back({"input", "Tensor"});
    Arguments.push_back({{X}, std::nullopt, {}});
  }
  for (const Operand &X : Parameters) {
    Op.Arguments.push_back({"parameter", "Tensor"});
    Arguments.push_back({{X}, std::nullopt, {}});
  }
  int FirstParameter = static_cast<int>(Inputs.size());
  if (!Training && Module.IdentityInEval && !Inputs.empty())
    return {Inputs[0]};
  for (facts::Saved R : InPlace    ? Module.SavesInPlace
                        : Training ? Module.SavesInTraining
                                   : Module.SavesInEval) {
    if (R.GradientOf < 0)
      R.GradientOf = FirstParameter + (-1 - R.GradientOf);
    if (R.What == facts::Saved::Parameter) {
      R.What = facts::Saved::Input;
      R.Index += FirstParameter;
    }
    Op.Saves.push_back(R);
  }
  Output Out;
  Out.Kind = Module.Output;
  Out.Argument = Out.Kind == Output::Fresh ? -1 : 0;
  if (InPlace && !Op.Arguments.empty()) {
    Op.Arguments[0].Mutated = true;
    Out.Kind = Output::SameAs;
    Out.Argument = 0;
  }
  Op.Known = Module.Known;
  Op.Outputs.assign(std::max(1u, Outputs), Out);
  std::vector<Operand> Results;
  for (auto &R : call(Op, Arguments, At, Options))
    Results.push_back(R.empty() ? Operand() : R[0]);
  return Results;
}

} // namespace torch_tidy::autograd
