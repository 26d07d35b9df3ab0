// What operations leave behind: nodes, edges, saved values, and on what a value depends.
#include "autograd/AbstractTorch.h"

#include "autograd/OperatorTraits.h"

#include <algorithm>
#include <map>

namespace torch_tidy::autograd {

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
  if (T.IsView && (T.MultiView || T.NoGradView || T.FunctionView)) {
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
                   (T.MultiView      ? "one of several views returned by '" + T.MadeBy + "'"
                    : T.FunctionView ? "an input that '" + T.MadeBy + "' returned, a view of itself"
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

/// Note [Old handles]
/// An activation called with inplace(true) hands back its argument. Who goes on reading the argument
/// through a handle bound before the call reads the activated value: the residual branch that opens
/// with an in-place activation. A write whose result is discarded is meant as a write
/// (WriteKind::User), and reading it afterwards is no defect: with one exception. Who copies a
/// variable to a second name (`auto skip = h;`), writes through the first (`h.relu_();`) and reads
/// the second kept it for what it was before. The other way round, writing through the second name
/// (`auto w = fc->weight; w.mul_(2);`), as through a parameter of a function, is how one writes;
/// unless the variable is given the result (`h = h.tanh_();`): then the new value was meant for it
/// alone.
int AbstractTorch::surprisingWrite(const Operand &From, std::string_view Reader) const {
  const Tensor &T = S.Tensors[From.T];
  const Storage &M = S.Storages[T.Memory];
  auto Surprises = [&](const Write &W) {
    // A rectifier that reads what another one left finds the positive part as it was.
    if (W.SameContent ||
        (traitsOf(W.Operation).KeepsPositivePart && traitsOf(Reader).ReadsPositivePart))
      return false;
    return W.Kind == WriteKind::Activation ||
           (((From.Kept && !W.ByKept) || W.Rebinds) && W.Kind == WriteKind::User && W.Tracked &&
            W.Through == Alias::None && T.Through == Alias::None);
  };
  for (size_t I = From.Seen; I < M.Writes.size(); ++I)
    if (Surprises(M.Writes[I]) && overlap(M.Writes[I].Where, T.Where))
      return static_cast<int>(I);
  return -1;
}

/// Carries to the node what is wrong with an operand's value.
void AbstractTorch::noteOperand(NodeId N, const Operand &From) {
  const Tensor &T = S.Tensors[From.T];
  if (T.Untracked || S.Nodes[N].DirtyWrite >= 0)
    return;
  if (int I = surprisingWrite(From, S.Nodes[N].Operation); I >= 0) {
    const Write &Surprise = S.Storages[T.Memory].Writes[I];
    Node &W = S.Nodes.edit(N);
    W.DirtyMemory = T.Memory;
    W.DirtyWrite = I;
    W.DirtyHandle = Surprise.Tracked;
    W.DirtyView = T.IsView && Surprise.Kind == WriteKind::User;
    return;
  }
  auto OnlyShifted = [&] {
    const std::vector<Write> &Changes = S.Storages[T.DirtyMemory].Writes;
    return traitsOf(S.Nodes[N].Operation).IgnoresShift &&
           std::all_of(Changes.begin() + T.Dirty, Changes.end(),
                       [](const Write &W) { return W.Uniform || W.SameContent; });
  };
  if (T.Dirty >= 0 && requiresGrad(From.T) && !OnlyShifted()) {
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
  if (Trait.TakesShape && !Arguments.empty() && !Arguments[0].Tensors.empty())
    return Trait.Name.ends_with("_like") && S.Tensors[Arguments[0].Tensors[0].T].Scalar;
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

} // namespace torch_tidy::autograd
