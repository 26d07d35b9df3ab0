// What happens to gradients between backward() and step(): see Note [The life of a gradient].
#include "autograd/AbstractTorch.h"

#include <algorithm>

namespace torch_tidy::autograd {

namespace {

/// Stands for the program's own updates, `w -= lr * w.grad()`, where optimizers have numbers.
constexpr uint32_t ByHand = ~0u;
/// More shares tell nothing new.
constexpr size_t MostShares = 6;

bool contains(const std::vector<uint32_t> &List, uint32_t X) {
  return std::find(List.begin(), List.end(), X) != List.end();
}

} // namespace

//===--- keeping the books -----------------------------------------------------------------===//

GradientLife AbstractTorch::life(TensorId T) const {
  return S.Tensors[T].Life ? *S.Tensors[T].Life : GradientLife();
}

void AbstractTorch::setLife(TensorId T, GradientLife Life) {
  S.Tensors.edit(T).Life = std::make_shared<const GradientLife>(std::move(Life));
}

void AbstractTorch::acquit(DefectKind Kind, Site Subject) {
  Acquittal A{Kind, Subject.Number};
  if (std::find(S.Acquitted.begin(), S.Acquitted.end(), A) == S.Acquitted.end())
    S.Acquitted.push_back(A);
}

/// Numbers, averages, momenta: a value remembers whose gradients it was computed from.
void AbstractTorch::mergeGradientSources(TensorId Into, const Operand &From) {
  const auto &Source = S.Tensors[From.T].FromGradients;
  if (!Source)
    return;
  const auto &Old = S.Tensors[Into].FromGradients;
  if (Old == Source)
    return;
  std::vector<TensorId> Both;
  if (Old)
    std::set_union(Old->begin(), Old->end(), Source->begin(), Source->end(),
                   std::back_inserter(Both));
  else
    Both = *Source;
  S.Tensors.edit(Into).FromGradients =
      std::make_shared<const std::vector<TensorId>>(std::move(Both));
}

void AbstractTorch::madeOptimizer(uint32_t Number, const std::vector<TensorId> &Held, Site At) {
  OptimizerRecord R;
  R.Number = Number;
  R.Made = At;
  R.Held = Held;
  R.WalksBefore = S.Walks.size();
  S.Optimizers.push_back(std::move(R));
}

//===--- the gradient as a tensor ----------------------------------------------------------===//

Operand AbstractTorch::gradOf(TensorId P, Site At) {
  if (!P || S.Tensors[P].Grad == GradState::Undefined)
    return {};
  for (const Share &X : life(P).Shares)
    S.Walks.edit({X.Walk}).Used = true;
  if (TensorId G = S.Tensors[P].GradTensor)
    return bind(G);
  TensorId G = leaf(At, "grad of " + S.Tensors[P].MadeBy, false);
  S.Tensors.edit(G).OfGradient = true;
  S.Tensors.edit(P).GradTensor = G;
  S.Tensors.edit(G).FromGradients = std::make_shared<const std::vector<TensorId>>(1, P);
  S.Storages.edit(S.Tensors[G].Memory).GradientOf = P;
  return bind(G);
}

void AbstractTorch::setGrad(TensorId P, Operand Value, Site At) {
  ++S.Effects;
  if (!Value.T) {
    clearGradient(P, At, false);
    if (TensorId G = S.Tensors[P].GradTensor)
      S.Storages.edit(S.Tensors[G].Memory).GradientOf = {};
    S.Tensors.edit(P).Grad = GradState::Undefined;
    S.Tensors.edit(P).GradTensor = {};
    return;
  }
  const auto &From = S.Tensors[Value.T].FromGradients;
  if (From && std::binary_search(From->begin(), From->end(), P)) {
    rescaleGradient(P, S.Tensors[Value.T].Scale, At); // mutable_grad() = grad() / scale
  } else {
    GradientLife L = life(P); // somebody else's gradient
    L.Shares.clear();
    L.Discarded.clear();
    setLife(P, std::move(L));
    S.Tensors.edit(P).EverReached = Reach::Live; // by the program itself: first-order MAML
  }
  // Its content is the gradient from now on, and what comes next is measured from that.
  Tensor &Content = S.Tensors.edit(Value.T);
  Content.Scale = {};
  Content.FromGradients = std::make_shared<const std::vector<TensorId>>(1, P);
  Tensor &T = S.Tensors.edit(P);
  T.Grad = GradState::Live;
  T.GradTensor = Value.T;
  S.Storages.edit(S.Tensors[Value.T].Memory).GradientOf = P;
}

/// An in-place write to the tensor that grad() gave.
void AbstractTorch::gradientWritten(TensorId P, bool Zeroes, bool Overwrites, Site At) {
  const Tensor &T = S.Tensors[P];
  if (!T.GradTensor || T.Grad == GradState::Undefined)
    return;
  ++S.Effects;
  if (Zeroes) {
    clearGradient(P, At, false);
    S.Tensors.edit(P).Grad = GradState::Zero;
  } else if (Overwrites) {
    GradientLife L = life(P);
    L.Shares.clear();
    L.Discarded.clear();
    setLife(P, std::move(L));
    S.Tensors.edit(P).Grad = GradState::Live;
  }
}

void AbstractTorch::addShare(TensorId Leaf, uint32_t Number) {
  const Tensor &T = S.Tensors[Leaf];
  if (!T.IsParameter &&
      std::find(S.Parameters.begin(), S.Parameters.end(), Leaf) == S.Parameters.end())
    S.Walks.edit({Number}).ForOther = true;
  GradientLife L = life(Leaf);
  if (!L.Shares.empty() && L.Shares.back().Walk == Number)
    return;
  for (Share &X : L.Shares)
    if (X.SteppedBy.empty() && X.Clipped && !X.ClippedEarly)
      X.ClippedEarly = X.Clipped;
  if (L.Shares.size() >= MostShares)
    L.Shares.erase(L.Shares.begin() + 1);
  Share New;
  New.Walk = Number;
  L.Shares.push_back(std::move(New));
  setLife(Leaf, std::move(L));
}

//===--- steps -----------------------------------------------------------------------------===//

void AbstractTorch::clearGradient(TensorId P, Site At, bool Guarded) {
  GradientLife L = life(P);
  for (const Share &X : L.Shares) {
    const Walk &W = S.Walks[{X.Walk}];
    if (!X.SteppedBy.empty() || W.Used)
      continue;
    DiscardedShare D;
    D.Walk = X.Walk;
    D.At = At;
    D.Guarded = Guarded;
    D.Held = std::find(S.Parameters.begin(), S.Parameters.end(), P) != S.Parameters.end();
    D.Periodic = S.Decisions == W.Decisions && S.PeriodicDecisions > W.PeriodicDecisions;
    D.Arm = S.Arm;
    if (L.Discarded.size() < MostShares)
      L.Discarded.push_back(D);
  }
  L.Shares.clear();
  setLife(P, std::move(L));
}

void AbstractTorch::addSuspicion(OrderSuspicion Q) {
  for (const OrderSuspicion &X : S.OrderSuspicions)
    if (X.D.Kind == Q.D.Kind && X.D.Culprit == Q.D.Culprit && X.D.Subject == Q.D.Subject &&
        X.D.Effect == Q.D.Effect && X.Idle == Q.Idle && X.Settled && Q.Settled &&
        X.Walk == Q.Walk && X.IfLossScale == Q.IfLossScale)
      return;
  S.OrderSuspicions.push_back(std::move(Q));
}

namespace {

PlaceRecord &recordOf(std::vector<PlaceRecord> &List, Site At) {
  for (PlaceRecord &R : List)
    if (R.At == At)
      return R;
  List.push_back({At, false});
  return List.back();
}

} // namespace

/// A step with gradients of a loss that was multiplied by what may turn out to be a loss scale.
void AbstractTorch::noteScaledStep(const GradientLife &L, uint32_t By, Site At) {
  if (By == ByHand)
    return;
  for (const Share &X : L.Shares) {
    const Factor G = S.Walks[{X.Walk}].Scale;
    bool OfScaler = G.Variable >= FirstScaler && G.Variable != ~0u;
    if (!G || OfScaler || !X.SteppedBy.empty() || X.Unscaled ||
        std::any_of(S.OrderSuspicions.begin(), S.OrderSuspicions.end(), [&](const auto &Q) {
          return Q.IfLossScale && Q.D.Culprit == At &&
                 sameScale(S.Walks[{Q.Walk}].Scale, G);
        }))
      continue;
    OrderSuspicion Q;
    Q.D.Kind = DefectKind::SteppedScaled;
    Q.D.Effect = Outcome::Wrong;
    Q.D.Culprit = At;
    Q.D.Message = "the step uses gradients that are still multiplied by the loss scale";
    Q.D.Chain = {{G.At ? G.At : S.Walks[{X.Walk}].At, "the loss is scaled here"},
                 {At, "the scaled gradients are stepped here"}};
    Q.D.InDoubt = true;
    Q.Walk = X.Walk;
    Q.Settled = Q.IfLossScale = true;
    addSuspicion(std::move(Q));
  }
}

/// Note [Gradients that were left]
/// A backward() gives a gradient to every leaf that it reaches, also where its loss was meant for
/// others. What it leaves, an optimizer that comes later steps together with what its own loss gave:
///  - the discriminator's gradients were cleared before the generator's loss went through it, which
///    another optimizer has stepped by since, and to which the second loss gives nothing;
///  - another optimizer trained a part of the model before this one was made over more of it;
///  - an attack went through the network, again and again, for the gradient of its input.
void AbstractTorch::judgeLeftover(const GradientLife &L, uint32_t By, Site At) {
  auto Optimizer = [&](uint32_t Number) {
    return std::find_if(S.Optimizers.begin(), S.Optimizers.end(),
                        [&](const OptimizerRecord &R) { return R.Number == Number; });
  };
  auto Mine = Optimizer(By);
  if (By == ByHand || Mine == S.Optimizers.end() ||
      std::any_of(L.Shares.begin(), L.Shares.end(),
                  [&](const Share &X) { return contains(X.SteppedBy, By); }))
    return; // what was never cleared at all is told of as that
  auto Has = [&](TensorId T, uint32_t Walk) {
    const auto &Life = S.Tensors[T].Life;
    return Life && std::any_of(Life->Shares.begin(), Life->Shares.end(),
                               [&](const Share &X) { return X.Walk == Walk; });
  };
  auto LeftByOther = [&](const Share &X, const Share &Y) {
    const Walk &Left = S.Walks[{X.Walk}], &Own = S.Walks[{Y.Walk}];
    auto Other = Optimizer(Left.UsedBy);
    if (!Left.UsedAt || Left.UsedBy == By || Left.UsedBefore > Y.Walk || Other == S.Optimizers.end())
      return false;
    if (X.Walk < Mine->WalksBefore && Y.Walk >= Mine->WalksBefore)
      return true; // computed when this optimizer was not there
    return !(Left.At == Own.At) &&
           std::none_of(Other->Held.begin(), Other->Held.end(),
                        [&](TensorId T) { return Has(T, Y.Walk); }) &&
           std::none_of(Mine->Held.begin(), Mine->Held.end(),
                        [&](TensorId T) { return Has(T, Y.Walk) && !Has(T, X.Walk); });
  };
  // Once may be meant: a loss of clean data next to one of data that its gradient has moved.
  auto LeftByAttack = [&](const Share &X, const Share &Y) {
    const Walk &Left = S.Walks[{X.Walk}], &Own = S.Walks[{Y.Walk}];
    auto Rounds = std::count_if(L.Shares.begin(), L.Shares.end(), [&](const Share &Z) {
      return Z.SteppedBy.empty() && S.Walks[{Z.Walk}].At == Left.At;
    });
    return Rounds > 1 && Left.ForOther && Left.Used && !Left.UsedAt && !Own.ForOther && !Own.Used &&
           !(Left.At == Own.At);
  };
  for (const Share &X : L.Shares)
    for (const Share &Y : L.Shares) {
      if (X.Walk >= Y.Walk || !X.SteppedBy.empty() || !Y.SteppedBy.empty())
        continue;
      const bool Other = LeftByOther(X, Y);
      if (!Other && !LeftByAttack(X, Y))
        continue;
      const Walk &Left = S.Walks[{X.Walk}], &Own = S.Walks[{Y.Walk}];
      OrderSuspicion Q;
      Q.D.Kind = DefectKind::GradientAccumulates;
      Q.D.Effect = Outcome::Stale;
      Q.D.Culprit = Own.At;
      Q.D.Message = std::string("backward() adds to gradients that ") +
                    (Other ? "another optimizer's loss" : "the search for an input") +
                    " left and nobody cleared";
      Q.D.Chain = {{Left.At, "this loss gives these parameters a gradient, too"}};
      if (Other)
        Q.D.Chain.push_back({Left.UsedAt, "another optimizer steps by it here"});
      Q.D.Chain.push_back({Own.At, "backward() adds to it here"});
      Q.D.Chain.push_back({At, "and the step here uses both"});
      Q.D.InDoubt = true;
      Q.Settled = true;
      addSuspicion(std::move(Q));
      return;
    }
}

/// Judges what a step by one optimizer, or by hand, finds in one gradient.
void AbstractTorch::useGradient(TensorId P, uint32_t By, Site At) {
  GradientLife L = life(P);
  const Share *Old = nullptr, *New = nullptr;
  for (const Share &X : L.Shares)
    (contains(X.SteppedBy, By) ? Old : New) = &X;
  auto Mark = std::find_if(L.Steps.begin(), L.Steps.end(),
                           [&](const auto &M) { return M.By == By; });
  std::string Name = "parameter '" + S.Tensors[P].MadeBy + "'";

  if (Old && New && !S.TrainedElsewhere) {
    Defect D;
    D.Kind = DefectKind::GradientAccumulates;
    D.Effect = Outcome::Stale;
    D.Culprit = S.Walks[{New->Walk}].At;
    D.Message = "backward() adds to gradients that were stepped already and not cleared since";
    D.Chain.push_back({Old->SteppedAt, "the gradient of " + Name + " is used by this step"});
    D.Chain.push_back({S.Walks[{New->Walk}].At, "backward() adds to it here"});
    D.Chain.push_back({At, "and the step here uses both"});
    D.EveryPath = true;
    D.Subject = At.Number;
    // A clear that runs in between and finds nothing to clear is meant for these gradients.
    OrderSuspicion Q;
    unsigned Since = Mark == L.Steps.end() ? 0 : Mark->Clock;
    for (const auto &[Where, When] : S.IdleZeros)
      if (When > Since && Where && !Q.Idle)
        Q.Idle = Where;
    Q.D = std::move(D);
    Q.Settled = true;
    addSuspicion(std::move(Q));
  } else if (New && Mark != L.Steps.end()) {
    acquit(DefectKind::GradientAccumulates, At);
  }

  if (By != ByHand && holdsScaled(P, ~0u)) {
    OrderSuspicion Q;
    Q.D.Kind = DefectKind::SteppedScaled;
    Q.D.Effect = Outcome::Wrong;
    Q.D.Culprit = At;
    Q.D.Message = "the step uses gradients that are still multiplied by the loss scale";
    for (const Share &X : L.Shares)
      if (Q.D.Chain.empty())
        Q.D.Chain.push_back({S.Walks[{X.Walk}].At, "the scaled gradients are computed here"});
    Q.D.Chain.push_back({At, "they are stepped here; step() of the scaler unscales them"});
    Q.Settled = true;
    addSuspicion(std::move(Q));
  }

  noteScaledStep(L, By, At);
  judgeLeftover(L, By, At);

  // A clip scales the whole sum down, so it belongs behind the last backward() of a step.
  const Share *Clipped = nullptr, *Behind = nullptr;
  for (const Share &X : L.Shares)
    if (X.SteppedBy.empty() && (X.ClippedEarly || (X.Clipped && !Behind)) &&
        !(Clipped && Clipped->ClippedEarly))
      Clipped = &X;
    else if (X.SteppedBy.empty() && Clipped && !Behind)
      Behind = &X;
  if (Behind && Clipped->Clipped && !Clipped->ClippedEarly)
    Behind = Behind->Clipped ? nullptr : Behind;
  if (Behind) {
    OrderSuspicion Q;
    Q.D.Kind = DefectKind::ClipsTooEarly;
    Q.D.Effect = Outcome::Wrong;
    Q.D.Culprit = Clipped->Clipped;
    Q.D.Subject = Clipped->Clipped.Number;
    Q.D.EveryPath = true;
    Q.D.Message = "clips gradients that a later backward() adds to before the step";
    Q.D.Chain = {{S.Walks[{Clipped->Walk}].At, "these gradients are clipped"},
                 {Clipped->Clipped, "here"},
                 {S.Walks[{Behind->Walk}].At, "backward() adds to them here, unclipped"},
                 {At, "and the step here uses both"}};
    Q.Settled = true;
    addSuspicion(std::move(Q));
  } else if (Clipped) {
    acquit(DefectKind::ClipsTooEarly, Clipped->Clipped);
  }
  if (New)
    acquit(DefectKind::StepTooEarly, At);
  for (const Share &X : L.Shares)
    acquit(DefectKind::GradientDiscarded, S.Walks[{X.Walk}].At);
  for (size_t I = L.Discarded.size(); I-- > 0;) { // the last clear first
    const DiscardedShare &X = L.Discarded[I];
    if (By != ByHand && !X.Held)
      continue; // computed before there was an optimizer: looked at, not meant for it
    if (New && X.Guarded)
      continue; // a clear under a condition, between the backwards of a step: rather not judged
    OrderSuspicion Q;
    Q.Walk = X.Walk;
    Q.Parameter = P;
    Q.Nodes = S.Nodes.size();
    Q.Step = At;
    Q.D.Kind = DefectKind::GradientDiscarded;
    Q.D.Culprit = X.At;
    Q.D.EveryPath = !X.Periodic;
    Q.D.Subject = S.Walks[{X.Walk}].At.Number;
    // A step that is not tied to the clear uses what the backwards of other rounds gave.
    bool Others = New || (X.Periodic && X.Arm != S.Arm);
    Q.D.Effect = Others ? Outcome::Wrong
                 : S.Tensors[P].Grad == GradState::Undefined ? Outcome::Undefined
                                                            : Outcome::Zero;
    Q.D.Message = "this clears the gradients of backward() before a step has used them";
    Q.D.Chain = {{S.Walks[{X.Walk}].At, "backward() computes the gradient of " + Name + " here"},
                 {X.At, "it is cleared here"},
                 {At, Others ? "the step here uses what other backwards gave"
                          : "the step here finds nothing"}};
    Q.Settled = New != nullptr;
    addSuspicion(std::move(Q));
    break;
  }

  L.Discarded.clear();
  for (Share &X : L.Shares) {
    if (!contains(X.SteppedBy, By))
      X.SteppedBy.push_back(By);
    X.SteppedAt = At;
    Walk &W = S.Walks.edit({X.Walk});
    W.Used = true;
    if (!W.UsedAt && By != ByHand) {
      W.UsedAt = At;
      W.UsedBy = By;
      W.UsedBefore = S.Walks.size();
    }
  }
  if (!L.Shares.empty()) {
    if (Mark == L.Steps.end())
      L.Steps.push_back({By, S.Clock, At});
    else
      *Mark = {By, S.Clock, At};
  }
  setLife(P, std::move(L));
}

void AbstractTorch::step(const std::vector<TensorId> &Parameters, bool Bumps, Site At,
                         uint32_t By) {
  ++S.Effects;
  ++S.Clock;
  S.Stepped = true;
  ++S.Steps;
  for (OptimizerRecord &R : S.Optimizers)
    if (R.Number == By) {
      R.Stepped = true;
      acquit(DefectKind::NeverStepped, R.Made);
    }
  bool GradMode = S.GradMode;
  S.GradMode = false;
  for (TensorId P : Parameters) {
    if (!P)
      continue;
    if (S.Tensors[P].Life)
      useGradient(P, By, At);
    if (S.Tensors[P].Grad != GradState::Undefined) {
      optimizerWrite(P, Bumps, At);
      S.Tensors.edit(P).SteppedAt = S.Steps;
    }
  }
  S.GradMode = GradMode;
}

/// A write to a leaf of something computed from its own gradient is a step.
void AbstractTorch::stepsByHand(StorageId Memory, const std::vector<Operand> &Sources, Site At) {
  bool Leaf = std::any_of(S.Storages[Memory].Tensors.begin(), S.Storages[Memory].Tensors.end(),
                          [&](TensorId P) { return S.Tensors[P].LeafRequiresGrad; });
  for (const Operand &X : Sources)
    if (Leaf)
      arrive(X.T, {At, "weights are changed by a value computed from it here"}, /*AtWeights=*/true);
  for (TensorId P : std::vector<TensorId>(S.Storages[Memory].Tensors)) {
    if (!S.Tensors[P].LeafRequiresGrad || !S.Tensors[P].Life)
      continue;
    bool Own = std::any_of(Sources.begin(), Sources.end(), [&](const Operand &X) {
      const auto &From = S.Tensors[X.T].FromGradients;
      return From && std::binary_search(From->begin(), From->end(), P);
    });
    if (!Own)
      continue;
    ++S.Clock;
    useGradient(P, ByHand, At);
  }
}

void AbstractTorch::zeroGrad(const std::vector<TensorId> &Parameters, bool SetToNone, Site At,
                             bool Guarded) {
  ++S.Effects;
  ++S.Clock;
  bool Idle = !Parameters.empty();
  for (TensorId P : Parameters) {
    if (!P)
      continue;
    Idle &= !S.Tensors[P].Untracked && S.Tensors[P].Grad == GradState::Undefined &&
            !S.Tensors[P].Life;
    if (S.Tensors[P].Life)
      clearGradient(P, At, Guarded);
    Tensor &T = S.Tensors.edit(P);
    if (SetToNone) {
      T.Grad = GradState::Undefined;
      if (TensorId G = T.GradTensor) {
        T.GradTensor = {};
        S.Storages.edit(S.Tensors[G].Memory).GradientOf = {};
      }
    } else if (T.Grad != GradState::Undefined) {
      T.Grad = GradState::Zero;
    }
  }
  recordOf(S.Zeros, At).Useful |= !Idle;
  if (Idle && !Guarded) {
    if (S.IdleZeros.size() > 8)
      S.IdleZeros.erase(S.IdleZeros.begin());
    S.IdleZeros.push_back({At, S.Clock});
  }
  for (OptimizerRecord &R : S.Optimizers)
    R.Zeroed |= !R.Held.empty() && std::find(Parameters.begin(), Parameters.end(), R.Held[0]) !=
                                       Parameters.end();
}

void AbstractTorch::clip(const std::vector<Operand> &Parameters, Site At) {
  ++S.Effects;
  bool Useful = Parameters.empty();
  for (const Operand &X : Parameters) {
    if (!X.T || S.Tensors[X.T].Untracked) {
      Useful = true;
      continue;
    }
    GradientLife L = life(X.T);
    // Assigned by hand, or zero whatever came in: no share tells of it.
    bool Assigned = L.Shares.empty() && (S.Tensors[X.T].Grad == GradState::Live ||
                                         (S.Tensors[X.T].Grad == GradState::Zero &&
                                          S.Tensors[X.T].EverReached == Reach::Zero));
    // Cleared before a step could use it: that is what is wrong, not the clip.
    Useful |= Assigned || !L.Discarded.empty();
    for (Share &One : L.Shares)
      if (One.SteppedBy.empty()) {
        One.Clipped = At;
        One.ClippedFrom = S.Calls;
        Useful = true;
      }
    if (S.Tensors[X.T].Life)
      setLife(X.T, std::move(L));
  }
  recordOf(S.Clips, At).Useful |= Useful;
}

//===--- judging ---------------------------------------------------------------------------===//

/// A step that found nothing, because the gradient was cleared: if the next loss was built before
/// the step, it is the step that comes too early, and the clear is right.
void AbstractTorch::settleSuspicions(uint32_t Number, NodeId Root) {
  for (OrderSuspicion &Q : S.OrderSuspicions) {
    if (Q.Settled)
      continue;
    GradientLife L = life(Q.Parameter);
    if (std::none_of(L.Shares.begin(), L.Shares.end(),
                     [&](const Share &X) { return X.Walk == Number; }))
      continue;
    Q.Settled = true;
    if (!Root || Root.Value >= Q.Nodes)
      continue;
    Q.D.Kind = DefectKind::StepTooEarly;
    Q.D.Effect = Outcome::Stale;
    Q.D.Culprit = Q.Step;
    Q.D.Subject = Q.Step.Number;
    Q.D.EveryPath = true;
    Q.D.Message = "step() runs before the backward() of its loss and finds no gradient";
    Q.D.Chain.push_back({S.Walks[{Number}].At, "backward() of a loss built before it runs here"});
  }
}

/// At the end of the program, or where it was left by an exception.
void AbstractTorch::judgeTraining(bool Ended) {
  if (S.OpaqueBackward || S.TrainedElsewhere)
    return;
  bool Stepped = false;
  for (const OptimizerRecord &R : S.Optimizers)
    Stepped |= R.Stepped;
  for (OrderSuspicion &Q : S.OrderSuspicions) {
    if (Q.D.Kind == DefectKind::GradientAccumulates) {
      // A step that is one too many was told of where it comes between a forward pass and its
      // backward.
      const Site First = Q.D.Chain.empty() ? Site() : Q.D.Chain.front().At;
      if (First && (Repaired.count(First.Number) ||
                    std::any_of(S.Defects.begin(), S.Defects.end(), [&](const Defect &D) {
                      return D.Kind == DefectKind::StepBetween && D.Culprit == First;
                    })))
        continue;
      if (Q.Idle && !recordOf(S.Zeros, Q.Idle).Useful) {
        Q.D.Culprit = Q.Idle;
        Q.D.Message = "zero_grad() clears other gradients than those that the optimizer steps";
        Q.D.Chain.insert(Q.D.Chain.begin() + 1, {Q.Idle, "this does not clear it"});
      }
      record(Q.D);
      continue;
    }
    if (Q.IfLossScale) {
      bool Scale = std::any_of(S.LossScales.begin(), S.LossScales.end(), [&](const Factor &F) {
        return sameScale(F, S.Walks[{Q.Walk}].Scale);
      });
      bool Told = std::any_of(
          S.OrderSuspicions.begin(), S.OrderSuspicions.end(), [&](const OrderSuspicion &X) {
            return !X.IfLossScale && X.D.Kind == Q.D.Kind && X.D.Culprit == Q.D.Culprit;
          });
      if (Scale && !Told)
        record(Q.D);
      continue;
    }
    if (Q.D.Kind != DefectKind::GradientDiscarded && Q.D.Kind != DefectKind::StepTooEarly) {
      record(Q.D);
      continue;
    }
    const Walk &W = S.Walks[{Q.Walk}];
    if (Ended && !W.Used && !W.ForOther)
      record(Q.D);
  }
  if (!Ended)
    return;
  for (const OptimizerRecord &R : S.Optimizers) {
    if (R.Stepped)
      continue;
    for (TensorId P : R.Held) {
      if (!S.Tensors[P].Life)
        continue;
      const GradientLife L = life(P);
      // In a loop: as many as two backwards, or one after a zero_grad() of this optimizer.
      std::vector<uint32_t> Walks;
      for (const Share &X : L.Shares)
        Walks.push_back(X.Walk);
      for (const DiscardedShare &X : L.Discarded)
        Walks.push_back(X.Walk);
      if (Walks.size() < 2)
        continue;
      bool Used = false, Loop = false;
      for (uint32_t X : Walks) {
        Used |= S.Walks[{X}].Used || S.Walks[{X}].ForOther;
        Loop |= X != Walks[0] && S.Walks[{X}].At == S.Walks[{Walks[0]}].At;
      }
      if (Used || !Loop)
        continue;
      Defect D;
      D.Kind = DefectKind::NeverStepped;
      D.Effect = Outcome::Stale;
      D.Culprit = S.Walks[{Walks[0]}].At;
      D.Message = "the gradients of backward() are used by no step: the optimizer never steps";
      D.Chain = {{R.Made, "the optimizer is made here"},
                 {D.Culprit, "backward() computes the gradient of parameter '" +
                                 S.Tensors[P].MadeBy + "' here"}};
      D.EveryPath = true;
      D.Subject = R.Made.Number;
      record(std::move(D));
      break;
    }
  }
  for (const PlaceRecord &R : S.Clips) {
    if (R.Useful) {
      acquit(DefectKind::ClipsNothing, R.At);
      continue;
    }
    if (!Stepped)
      continue;
    Defect D;
    D.Kind = DefectKind::ClipsNothing;
    D.Effect = Outcome::Wrong;
    D.Culprit = R.At;
    D.Message = "clips gradients where none is waiting for a step: the optimizer uses unclipped ones";
    D.Chain = {{R.At, "between a backward() of these parameters and the step that follows it is "
                      "where they can be clipped"}};
    D.EveryPath = true;
    D.Subject = R.At.Number;
    record(std::move(D));
  }
}

} // namespace torch_tidy::autograd
