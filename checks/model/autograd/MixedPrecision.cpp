// Loss scales and autocast's cache of cast weights.
#include "autograd/AbstractTorch.h"

#include <algorithm>

namespace torch_tidy::autograd {

Site inCommon(Site A, TrailPtr From, TrailPtr With) {
  auto Depth = [](const TrailPtr &T) { return T ? T->Depth : 0; };
  while (From != With) {
    if (Depth(From) >= Depth(With)) {
      A = {From->Call.Number, From->Call.Conditional || A.Conditional};
      From = From->Outer;
    } else {
      With = With->Outer;
    }
  }
  return A;
}

/// The same variable, or the same number where neither is kept in one.
bool sameScale(const Factor &A, const Factor &B) {
  if (A.Variable != ~0u || B.Variable != ~0u)
    return A.Variable == B.Variable;
  return A.Known != 0 && A.Known == B.Known;
}

/// Note [Loss scales]
/// A loss may be multiplied by anything; that the factor is a loss scale shows only when the
/// program divides the gradients by it. So a factor is remembered with the value, from there with
/// the backward() that starts at it, and what is wrong with it is told where the division comes:
/// the gradients were clipped or stepped before it, divided already, or the variable that holds the
/// scale has another content by now. Gradients of another loss that was multiplied by what turned out
/// to be a loss scale, and that are never divided, are told of at the end. torch_tidy::GradScaler is known to be one from the start.
void AbstractTorch::rescaleGradient(TensorId P, const Factor &F, Site At) {
  if (!F || !S.Tensors[P].Life)
    return;
  GradientLife L = life(P);
  auto Suspect = [&](DefectKind Kind, Site Culprit, std::string Message,
                     std::vector<ChainEvent> Chain) {
    OrderSuspicion Q;
    Q.D.Kind = Kind;
    Q.D.Effect = Outcome::Wrong;
    Q.D.Culprit = Culprit;
    Q.D.Message = std::move(Message);
    Q.D.Chain = std::move(Chain);
    Q.Settled = true;
    addSuspicion(std::move(Q));
  };
  for (Share &X : L.Shares) {
    const Walk &W = S.Walks[{X.Walk}];
    const Factor &G = W.Scale;
    bool SameVariable = G.Variable != ~0u && G.Variable == F.Variable;
    if (!G || G.Inverse == F.Inverse || !sameScale(G, F))
      continue;
    if (std::none_of(S.LossScales.begin(), S.LossScales.end(),
                     [&](const Factor &Q) { return sameScale(Q, G); }))
      S.LossScales.push_back(G);
    ChainEvent Scaled{G.At ? G.At : W.At, "the loss is scaled here"},
        Divided{At, "the gradients are divided by the scale here"};
    if (X.Unscaled) {
      Suspect(DefectKind::UnscaledTwice, inCommon(At, S.Calls, X.UnscaledFrom), "divides gradients by the loss scale a second time",
              {Scaled, {X.Unscaled, "they are divided by it here"}, {At, "and again here"}});
    } else if (!X.SteppedBy.empty()) {
      Suspect(DefectKind::SteppedScaled, X.SteppedAt,
              "the step uses gradients that are still multiplied by the loss scale",
              {Scaled, {X.SteppedAt, "the scaled gradients are stepped here"}, Divided});
    } else if (SameVariable && G.Content != F.Content) {
      Suspect(DefectKind::UnscaledByOther, inCommon(At, S.Calls, W.From),
              "divides gradients by a loss scale that has changed since the loss was scaled",
              {Scaled, {W.At, "backward() runs here"}, Divided});
    } else if (X.Clipped) {
      Suspect(DefectKind::ClipsScaled, inCommon(X.Clipped, X.ClippedFrom, S.Calls),
              "clips gradients that are still multiplied by the loss scale",
              {Scaled, {X.Clipped, "the scaled gradients are clipped here"}, Divided});
    }
    X.Unscaled = At;
    X.UnscaledFrom = S.Calls;
  }
  setLife(P, std::move(L));
}

bool AbstractTorch::holdsScaled(TensorId P, uint32_t Scale) const {
  const auto &Life = S.Tensors[P].Life;
  return Life && std::any_of(Life->Shares.begin(), Life->Shares.end(), [&](const Share &X) {
           return X.SteppedBy.empty() && !X.Unscaled &&
                  (Scale == ~0u ? S.Walks[{X.Walk}].Scale.Variable >= FirstScaler &&
                                      S.Walks[{X.Walk}].Scale.Variable != ~0u
                                : S.Walks[{X.Walk}].Scale.Variable == Scale);
         });
}

void AbstractTorch::misuseScaler(std::string Message, Site At, Site Before) {
  if (Repaired.count(At.Number))
    return;
  Defect D;
  D.Kind = DefectKind::ScalerMisused;
  D.Effect = Outcome::Throws;
  D.Culprit = At;
  D.Message = std::move(Message);
  if (Before)
    D.Chain.push_back({Before, "the call before it is here"});
  D.Chain.push_back({At, "it raises here"});
  raise(std::move(D));
}

/// Note [The autocast cache]
/// Under autocast the cast of a weight (a float32 leaf that requires grad) is kept until
/// clear_cache(), which Python's context manager calls at its end and C++ programs have to call
/// themselves. After a step the forward pass goes on with the old weights. Measured
/// (facts/amp_measured.txt, and again on 2.15): convolutions on 1.13 and 2.15, linear layers since.
void AbstractTorch::castUnderAutocast(const std::string &Name, const std::vector<Argument> &Arguments,
                                      Site At) {
  if (!S.Autocast || !S.CastCache || !S.GradMode)
    return;
  std::string Base = Name.substr(0, Name.find('.'));
  bool Convolution = Base.rfind("conv", 0) == 0 || Base.rfind("Conv", 0) == 0;
  bool Product = Base == "linear" || Base == "Linear" || Base == "matmul" || Base == "mm" ||
                 Base == "addmm" || Base == "bmm";
  if (!Convolution && !(Product && Facts->measuredOn().Major >= 2))
    return;
  for (const Argument &A : Arguments)
    for (const Operand &X : A.Tensors) {
      if (!X.T || !S.Tensors[X.T].LeafRequiresGrad || S.Tensors[X.T].IsView)
        continue;
      const Storage &M = S.Storages[S.Tensors[X.T].Memory];
      auto Kept = std::find_if(S.Casts.begin(), S.Casts.end(),
                               [&](const CastRecord &R) { return R.Parameter == X.T; });
      if (Kept == S.Casts.end()) {
        S.Casts.push_back({X.T, static_cast<uint32_t>(M.Writes.size()), At});
        continue;
      }
      if (Kept->Cleared) {
        if (M.Writes.size() > Kept->Writes)
          acquit(DefectKind::CastOutdated, S.AutocastOn);
        *Kept = {X.T, static_cast<uint32_t>(M.Writes.size()), At};
        continue;
      }
      if (M.Writes.size() <= Kept->Writes || Repaired.count(S.AutocastOn.Number))
        continue;
      const Write &W = M.Writes[Kept->Writes];
      Defect D;
      D.Kind = DefectKind::CastOutdated;
      D.Effect = Outcome::Stale;
      D.Culprit = S.AutocastOn;
      D.Message = "autocast's cache is not cleared: the forward pass goes on with the cast of old "
                  "weights";
      D.Chain = {{S.AutocastOn, "autocast is switched on here"},
                 {Kept->At, "parameter '" + S.Tensors[X.T].MadeBy + "' is cast, and the cast kept"},
                 {W.At, "the parameter changes here"},
                 {At, "the old cast is used here; at::autocast::clear_cache() belongs before it"}};
      D.EveryPath = true;
      D.Subject = S.AutocastOn.Number;
      record(std::move(D));
      Kept->Writes = static_cast<uint32_t>(M.Writes.size());
    }
}

void AbstractTorch::clearCasts() {
  for (CastRecord &R : S.Casts)
    R.Cleared = true;
  ++S.Effects;
}

} // namespace torch_tidy::autograd
