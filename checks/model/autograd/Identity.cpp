// Which object is held by the optimizer, and which one is used: parameters that are replaced by
// other tensors, and values that outlive the weights they were computed from.
#include "autograd/AbstractTorch.h"
#include "autograd/OperatorTraits.h"

#include <algorithm>

namespace torch_tidy::autograd {

namespace {
std::string quoted(const std::string &S) { return "'" + S + "'"; }
} // namespace

/// Where a value that is no leaf came to be one of an optimizer's: where it is made, or, of leaves
/// that have variables of their own, where the function that makes it for other uses is called.
Site AbstractTorch::madeForOptimizer(const Tensor &X) const {
  if (!X.History)
    return X.Made;
  std::set<NodeId> Seen{X.History};
  std::vector<NodeId> Work{X.History};
  while (!Work.empty()) {
    const Node &N = S.Nodes[Work.back()];
    Work.pop_back();
    for (const Edge &E : N.Next) {
      if (E.Leaf && !S.Tensors[E.Leaf].Home)
        return X.Made;
      if (E.To && Seen.insert(E.To).second)
        Work.push_back(E.To);
    }
  }
  Site At = X.Made;
  const CallFrame *F = S.Nodes[X.History].Frame.get();
  for (; F && F != Frame.get(); F = F->Outer.get())
    At = F->At;
  return F == Frame.get() && At ? At : X.Made;
}

/// torch/csrc/api/src/optim/optimizer.cpp, add_param_group: "can't optimize a non-leaf Tensor".
void AbstractTorch::holdParameter(TensorId T, Site At) {
  if (!T)
    return;
  const Tensor &X = S.Tensors[T];
  const Site Made = madeForOptimizer(X);
  if (At && !X.Untracked && !isLeaf(T) && !Repaired.count(Made.Number)) {
    Defect D{DefectKind::NonLeafOptimized, Outcome::Throws, Made ? Made : At,
             "'" + X.MadeBy + "' gives a tensor that is no leaf: the optimizer refuses it", {}};
    D.Chain.push_back({X.Made, "the tensor is computed here"});
    D.Chain.push_back({At, "the optimizer is built over it here"});
    D.Operation = X.MadeBy;
    raise(std::move(D));
    return;
  }
  if (std::find(S.Parameters.begin(), S.Parameters.end(), T) == S.Parameters.end())
    S.Parameters.push_back(T);
}

bool AbstractTorch::isTrained(TensorId T) const {
  if (std::find(S.Parameters.begin(), S.Parameters.end(), T) != S.Parameters.end())
    return true;
  const std::vector<Write> &Writes = S.Storages[S.Tensors[T].Memory].Writes;
  return std::any_of(Writes.begin(), Writes.end(),
                     [](const Write &W) { return W.Kind == WriteKind::User && !W.Tracked; }) &&
         S.Tensors[T].GradTensor;
}

bool AbstractTorch::isReachedAnew(TensorId T) const {
  return S.Tensors[T].Life && S.Tensors[T].Life->Shares.size() > 1;
}

bool AbstractTorch::isDifferentiated(TensorId T) const {
  for (uint32_t I = 0; I < S.Nodes.size(); ++I)
    if (const Node &N = S.Nodes[{I}]; N.Operation == "grad")
      for (const Edge &E : N.Next)
        if (E.Leaf == T)
          return true;
  return false;
}

const std::string &AbstractTorch::nameOf(TensorId T) const {
  const Tensor &X = S.Tensors[T];
  return X.IsParameter || X.Name.empty() ? X.MadeBy : X.Name;
}

/// The leaf that T shares its memory with through detach() or data(), or was cloned from.
TensorId AbstractTorch::leafBehind(TensorId Id) const {
  for (TensorId Start = Id; Id; Id = S.Tensors[Id].Selected ? TensorId() : S.Tensors[Id].CopiedFrom) {
    const Tensor &T = S.Tensors[Id];
    if (T.Untracked || T.IsView)
      return {};
    if (T.LeafRequiresGrad && !(Id == Start))
      return Id;
    if (T.Through == Alias::None)
      continue;
    for (TensorId Other : S.Storages[T.Memory].Tensors)
      if (S.Tensors[Other].LeafRequiresGrad && S.Tensors[Other].Where == T.Where && !(Other == Start))
        return Other;
  }
  return {};
}

/// An optimizer written by hand that keeps `p.detach()` or `p.clone()` finds no gradient there: it
/// went to the parameter.
std::optional<Defect> AbstractTorch::gradientOfOther(TensorId Id, Site Asked) const {
  const TensorId Leaf = leafBehind(Id);
  if (!Leaf || S.Tensors[Leaf].EverReached != Reach::Live || S.Tensors[Id].EverReached != Reach::Never)
    return std::nullopt;
  const Tensor &T = S.Tensors[Id];
  const Site At = T.AliasMade ? T.AliasMade : T.Made;
  Defect D{DefectKind::OtherOptimized, Outcome::Stale, At,
           "the gradient is looked for at a copy of parameter " + quoted(nameOf(Leaf)) +
               ", which has none; the loss uses the parameter itself", {}};
  D.Chain.push_back({S.Tensors[Leaf].Made, "the parameter is made here"});
  D.Chain.push_back({At, "it is copied here"});
  D.Chain.push_back({S.Tensors[Leaf].ReachedBy, "backward() gives the gradient to the parameter here"});
  D.Chain.push_back({Asked, "the copy is asked for it here"});
  D.Untrained = Leaf;
  return D;
}

std::optional<Defect> AbstractTorch::lostGradient(TensorId Id, Site Asked) const {
  const Tensor &T = S.Tensors[Id];
  if (S.Backwards == 0 || T.Untracked || T.RetainsGrad || T.LeafRequiresGrad)
    return std::nullopt;
  if (!T.History) {
    for (const auto &[P, E] : dependences(Id))
      if (E.Rebound) {
        Defect D{DefectKind::Rebound, Outcome::Undefined, E.At,
                 quoted(nameOf(P)) + " is replaced by a tensor that requires no gradient", {}};
        D.Chain.push_back({S.Tensors[P].Made, "the parameter is made here"});
        D.Chain.push_back({E.At, "its variable is given another tensor here"});
        D.Chain.push_back({Asked, "the new one has no gradient here"});
        return D;
      }
    return std::nullopt;
  }
  if (Site At = S.Nodes[T.History].ReplacesAt) {
    Defect D{DefectKind::Rebound, Outcome::Undefined, At,
             "a parameter is replaced by a value computed from it, which is no leaf", {}};
    D.Chain.push_back({At, "the variable that held the parameter is given another tensor here"});
    D.Chain.push_back({Asked, "the new one has no gradient of its own here"});
    return D;
  }
  // One leaf, made on the way and kept by nobody: `torch::randn({n}, requires_grad()) * 0.01`.
  std::vector<NodeId> Work{T.History};
  TensorId Leaf;
  for (size_t I = 0; I < Work.size(); ++I)
    for (const Edge &E : S.Nodes[Work[I]].Next) {
      if (E.To && Work.size() < 16)
        Work.push_back(E.To);
      else if (E.To || (Leaf && E.Leaf != Leaf))
        return std::nullopt;
      else if (E.Leaf)
        Leaf = E.Leaf;
    }
  if (!Leaf || S.Tensors[Leaf].Home || S.Tensors[Leaf].IsParameter || !T.Home)
    return std::nullopt;
  Defect D{DefectKind::LostLeaf, Outcome::Undefined, T.Made,
           quoted(T.MadeBy) + " makes " + quoted(T.Name.empty() ? "the tensor" : T.Name) +
               " a result of the leaf that requires grad: the gradient goes there, and nobody keeps it",
           {}};
  D.Chain.push_back({S.Tensors[Leaf].Made, "the leaf is made here"});
  D.Chain.push_back({T.Made, "what is kept is computed from it here"});
  D.Chain.push_back({Asked, "it has no gradient here"});
  return D;
}

/// Note [Terms]
/// A loss is a sum of terms, and each is there to train something. Which leaves a term leads to is
/// remembered per term, so that one that trains nothing at all shows.
void AbstractTorch::noteTerms(Operand Root) {
  constexpr size_t MostTerms = 12, MostNodes = 4000, MostLosses = 24;
  if (S.Losses.size() >= MostLosses || !Root.T || !S.Tensors[Root.T].History)
    return;
  static constexpr std::string_view Sums[] = {"add",  "sub",  "add_", "sub_", "neg", "mean",
                                              "sum",  "mul",  "div",  "stack", "cat", "rsub",
                                              "mul_", "div_", "squeeze", "view", "to"};
  std::vector<NodeId> Terms{S.Tensors[Root.T].History};
  for (size_t I = 0; I < Terms.size() && Terms.size() <= MostTerms;) {
    const Node &N = S.Nodes[Terms[I]];
    const std::vector<Edge> Next = N.Next;
    bool Product = N.Operation.starts_with("mul") || N.Operation.starts_with("div");
    bool Leaves = std::any_of(Next.begin(), Next.end(), [](const Edge &E) { return !E.To; });
    if (Next.empty() || Leaves || (Product && Next.size() > 1) ||
        std::find(std::begin(Sums), std::end(Sums), N.Operation) == std::end(Sums)) {
      ++I;
      continue;
    }
    Terms.erase(Terms.begin() + I);
    for (const Edge &E : Next)
      Terms.push_back(E.To);
  }
  if (Terms.size() > MostTerms)
    return;
  std::vector<std::set<TensorId>> Leaves;
  for (NodeId Term : Terms) {
    std::set<NodeId> Seen{Term};
    std::vector<NodeId> Work{Term};
    std::set<TensorId> Reached;
    while (!Work.empty() && Seen.size() < MostNodes) {
      NodeId N = Work.back();
      Work.pop_back();
      for (const Edge &E : S.Nodes[N].Next) {
        if (E.Leaf)
          Reached.insert(E.Leaf);
        if (E.To && Seen.insert(E.To).second)
          Work.push_back(E.To);
      }
    }
    Leaves.push_back(std::move(Reached));
  }
  if (std::find(S.Losses.begin(), S.Losses.end(), Leaves) == S.Losses.end())
    S.Losses.push_back(std::move(Leaves));
}

/// Note [Rebinding]
/// `Tensor t = p; t = x` gives the variable another tensor; whoever else holds the first one (a
/// module's registry, an optimizer) is not told. Three things can come of it. A new tensor that
/// requires no gradient takes the parameter out of the graph: its dependence is cut, at the
/// assignment, and the registered one never gets a gradient (`undefined`). A new leaf gets the
/// gradients and is not stepped (`stale`). A new value computed from the parameter still leads to
/// it, but through a graph that belongs to one forward pass: either it was freed when it is walked
/// again (`throws`), or it saved nothing, and the parameter is stepped while the value, computed
/// once, stays as it was (`stale`). A view is none of these: it shares the storage that is stepped.
void AbstractTorch::rebind(TensorId Old, Operand New, Site At) {
  if (!Old || !New.T || Old == New.T || !S.Tensors[Old].LeafRequiresGrad ||
      S.Tensors[New.T].Untracked || S.Tensors[Old].Untracked)
    return;
  ++S.Effects;
  Dependences D = dependences(New.T);
  bool OnOld = false, OnOthers = false;
  for (const auto &[P, E] : D)
    if (E.Status != Dependence::Cut)
      (P == Old ? OnOld : OnOthers) = true;
  if (OnOld) {
    if (NodeId N = S.Tensors[New.T].History; N && !S.Nodes[N].View)
      S.Nodes.edit(N).ReplacesAt = At;
    return;
  }
  S.Rebindings.push_back({Old, New.T, At, S.Backwards});
  if (OnOthers || requiresGrad(New.T))
    return;
  Dependence E;
  E.Status = Dependence::Cut;
  E.At = At;
  E.How = "the assignment";
  E.Rebound = true;
  auto It = std::lower_bound(D.begin(), D.end(), Old,
                             [](const auto &X, TensorId Y) { return X.first < Y; });
  if (It != D.end() && It->first == Old)
    It->second = E;
  else
    D.insert(It, {Old, E});
  S.Tensors.edit(New.T).Depends = std::make_shared<const Dependences>(std::move(D));
}

/// Note [Old weights]
/// A graph that was walked and freed may be walked again where it saved nothing (a copy, a cast, a
/// product with a number). If the parameter at its end was stepped in between, the value in the
/// middle is that of the old weights: it was computed once, outside of the loop that trains.
void AbstractTorch::noteOldWeights(NodeId Id, TensorId Leaf, Site Backward) {
  const Node &N = S.Nodes[Id];
  Site At = N.ReplacesAt ? N.ReplacesAt : N.At;
  if (Repaired.count(At.Number) || !At)
    return;
  const Tensor &P = S.Tensors[Leaf];
  const std::string Name = quoted(nameOf(Leaf));
  Defect D{N.ReplacesAt ? DefectKind::Rebound : DefectKind::ComputedOnce, Outcome::Stale, At,
           "", {}};
  D.Message = N.ReplacesAt
                  ? Name + " is replaced by a value computed from it, which no step changes"
                  : quoted(N.Operation) + " is computed once from parameter " + Name +
                        " and used again after the parameter's step";
  D.Chain.push_back({P.Made, "the parameter is made here"});
  D.Chain.push_back({At, "the value is computed from it here"});
  D.Chain.push_back({Backward, "backward() still goes through that value here, after a step"});
  record(std::move(D));
}

/// A graph that is walked twice because a parameter's variable keeps a value computed from it.
void AbstractTorch::blameRebinding(Defect &D, const std::vector<NodeId> &Walked) const {
  for (NodeId Id : Walked) {
    const Node &N = S.Nodes[Id];
    if (!N.Walked || !N.ReplacesAt)
      continue;
    D.Kind = DefectKind::Rebound;
    D.Culprit = N.ReplacesAt;
    D.Message = "a parameter is replaced by a value computed from it, whose graph backward() walks "
                "twice";
    D.Chain.insert(D.Chain.begin(), {N.ReplacesAt, "the variable that held the parameter is given "
                                                   "the result of " + quoted(N.Operation) + " here"});
    return;
  }
}

/// The end of a parameter that lost its gradient to a rebinding; false where it did not.
bool AbstractTorch::finishRebound(TensorId Id) {
  const Tensor P = S.Tensors[Id];
  if (!P.LostByRebinding) {
    // A leaf made from a copy of it has the gradients: `auto w = p.detach().requires_grad_()`. (One
    // made from what was computed from it is another matter: the graph is cut.)
    if (P.EverReached != Reach::Never)
      return false;
    // Where its member holds what is computed from other parameters, as weight normalisation does, those
    // are trained instead of it.
    for (const Rebinding &R : S.Rebindings)
      if (R.Old == Id && !isLeaf(R.New))
        for (const auto &[Origin, E] : dependences(R.New))
          if (E.Status == Dependence::Live && S.Tensors[Origin].EverReached == Reach::Live &&
              isTrained(Origin))
            return true;
    for (uint32_t I = 0; I < S.Tensors.size(); ++I) {
      const TensorId L{I};
      const Tensor &Copy = S.Tensors[L];
      if (L == Id || !Copy.LeafRequiresGrad || Copy.EverReached != Reach::Live || !Copy.Depends ||
          isTrained(L))
        continue;
      for (const Rebinding &R : S.Rebindings)
        if (R.Old == Id && R.New == L)
          return true; // told of by finishRebindings()
      for (const auto &[Origin, E] : *Copy.Depends)
        // Unless the loss has the parameter's own value as well, cut off somewhere else.
        if (Origin == Id && E.Status == Dependence::Cut && E.At && E.At == P.LostAt && E.OfItself &&
            (E.By == CutBy::Alias || E.From)) {
          Defect D{DefectKind::OtherOptimized, Outcome::Stale, E.At,
                   "the loss uses a copy of parameter " + quoted(nameOf(Id)) +
                       "; the optimizer steps the parameter itself", {}};
          D.Chain.push_back({P.Made, "the parameter is made here"});
          D.Chain.push_back({E.At, "it is copied here"});
          D.Chain.push_back({Copy.ReachedBy, "backward() gives the gradient to the copy here"});
          record(std::move(D));
          return true;
        }
    }
    return false;
  }
  if (P.LastReached >= P.LostIn)
    return true; // reached again: something else holds it
  for (const Rebinding &R : S.Rebindings)
    if (R.Old == Id && S.Tensors[R.New].EverReached == Reach::Live)
      return true; // the new one trains, or is told of by finishRebindings()
  Defect D{DefectKind::Rebound, Outcome::Undefined, P.LostAt,
           "parameter " + quoted(nameOf(Id)) + " is replaced by a tensor that requires no gradient", {}};
  D.Chain.push_back({P.Made, "the parameter is made here"});
  D.Chain.push_back({P.LostAt, "its variable is given another tensor here; the optimizer keeps the first"});
  D.Chain.push_back({P.LostBackward, "backward() gives it no gradient here"});
  record(std::move(D));
  return true;
}

/// Leaves that took the place of a parameter and get its gradients, while the optimizer steps the
/// parameter.
void AbstractTorch::finishRebindings() {
  for (const Rebinding &R : std::vector<Rebinding>(S.Rebindings)) {
    const Tensor Old = S.Tensors[R.Old], New = S.Tensors[R.New];
    if (New.EverReached != Reach::Live || isTrained(R.New) || Repaired.count(R.At.Number) ||
        Old.LastReached > R.After ||
        std::find(S.Parameters.begin(), S.Parameters.end(), R.Old) == S.Parameters.end())
      continue;
    Defect D{DefectKind::Rebound, Outcome::Stale, R.At,
             "parameter " + quoted(nameOf(R.Old)) +
                 " is replaced by another leaf: the optimizer steps the first, the loss uses the second",
             {}};
    D.Chain.push_back({Old.Made, "the parameter is made here"});
    D.Chain.push_back({R.At, "its variable is given another tensor here"});
    D.Chain.push_back({New.ReachedBy, "backward() gives the gradient to the new one here"});
    record(std::move(D));
  }
}

} // namespace torch_tidy::autograd
