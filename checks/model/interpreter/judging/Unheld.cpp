// Parameters that are trained and that no optimizer holds, told from what the losses and the other
// optimizers are there for: see Note [Evidence of identity] in Identity.cpp.
#include "interpreter/Interpreter.h"

#include <algorithm>

namespace torch_tidy::model {

using autograd::Defect;
using autograd::DefectKind;
using autograd::Outcome;
using autograd::Reach;

namespace {
std::string quoted(const std::string &S) { return "'" + S + "'"; }
} // namespace

/// The optimizer that ought to hold what none holds: one over tensors that another one has already,
/// otherwise the first that steps something.
std::optional<ObjectId> Interpreter::blamed(const std::vector<ObjectId> &Stepped) const {
  std::optional<ObjectId> First;
  for (ObjectId Id : Stepped) {
    const std::vector<TensorId> &Held = P.Objects[Id].Held;
    if (std::none_of(Held.begin(), Held.end(), [&](TensorId T) {
          return Torch.S.Tensors[T].EverReached == Reach::Live;
        }))
      continue;
    for (ObjectId Other : Stepped)
      if (Other != Id && P.Objects[Other].Held == Held)
        return Id;
    First = First ? First : std::optional(Id);
  }
  return First;
}

/// What a term of a loss is there for; see Note [Terms].
void Interpreter::judgeTerms(const std::vector<ObjectId> &Modules,
                             const std::vector<ObjectId> &Stepped) {
  const autograd::State &S = Torch.S;
  std::optional<ObjectId> By = blamed(Stepped);
  if (!By || S.Losses.empty())
    return;
  const Object Optimizer = P.Objects[*By];
  auto Held = [&](TensorId T) {
    return std::find(S.Parameters.begin(), S.Parameters.end(), T) != S.Parameters.end();
  };
  auto Lost = [&](TensorId T) {
    const autograd::Tensor &X = S.Tensors[T];
    return X.LeafRequiresGrad && X.IsParameter && !X.GradTensor && X.EverReached == Reach::Live &&
           !Torch.isTrained(T);
  };
  struct Tree {
    ObjectId M;
    std::set<TensorId> Own;
    bool AnyHeld = false, AllLost = true;
  };
  std::vector<Tree> Trees;
  std::set<ObjectId> PartOfHeld; // below a module that is stepped in part
  std::set<TensorId> Fixed;      // of modules that are used as they are
  for (ObjectId M : Modules) {
    std::vector<std::pair<std::string, CellId>> All;
    parametersOf(M, All, "", false);
    Tree X{M, {}};
    for (const auto &[N, C] : All)
      if (Operand T = tensorOperand(C); T.T) {
        X.Own.insert(T.T);
        X.AnyHeld |= Held(T.T);
        X.AllLost &= Lost(T.T) || !S.Tensors[T.T].LeafRequiresGrad;
      }
    if (P.Objects[M].Loaded || P.Objects[M].Training == 0)
      Fixed.insert(X.Own.begin(), X.Own.end());
    if (X.AnyHeld) {
      std::vector<ObjectId> Work{M};
      for (size_t I = 0; I < Work.size() && I < 4096; ++I)
        for (const auto &[N, Child] : P.Objects[Work[I]].Children)
          if (Child.isObject() && P.Objects[Child.O].K == Object::Module &&
              PartOfHeld.insert(Child.O).second)
            Work.push_back(Child.O);
    }
    if (!X.Own.empty())
      Trees.push_back(std::move(X));
  }
  std::set<TensorId> Told;
  auto Report = [&](TensorId T) {
    if (!Told.insert(T).second || !Optimizer.Built || Torch.Repaired.count(Optimizer.Built.Number))
      return;
    Defect D{DefectKind::OtherOptimized, Outcome::Stale, Optimizer.Built,
             "a term of the loss trains " + quoted(Torch.nameOf(T)) + ", which no optimizer holds", {}};
    D.Chain.push_back({S.Tensors[T].Made, "it is made here"});
    D.Chain.push_back({Optimizer.Built, "the optimizer is built without it here"});
    D.Chain.push_back({S.Tensors[T].ReachedBy, "backward() gives it a gradient here"});
    D.Chain.push_back({Optimizer.Stepped, "step() passes it over here"});
    Torch.S.Defects.push_back(std::move(D));
  };
  for (const std::vector<std::set<TensorId>> &Loss : S.Losses)
    for (size_t I = 0; I < Loss.size(); ++I) {
      // A term that leads to lost parameters alone, and to all of a module that stands by itself.
      if (!Loss[I].empty() && std::all_of(Loss[I].begin(), Loss[I].end(), Lost)) {
        for (const Tree &X : Trees)
          if (!X.AnyHeld && X.AllLost && !PartOfHeld.count(X.M) && !Fixed.count(*X.Own.begin()) &&
              std::includes(Loss[I].begin(), Loss[I].end(), X.Own.begin(), X.Own.end())) {
            // Not what something stepped is computed from: a backbone under a weight penalty.
            bool Feeds = false;
            for (const auto &Other : S.Losses)
              for (const auto &Term : Other)
                Feeds |= std::any_of(Term.begin(), Term.end(), Held) &&
                         std::any_of(X.Own.begin(), X.Own.end(),
                                     [&](TensorId T) { return Term.count(T) != 0; });
            if (!Feeds)
              Report(*X.Own.begin());
          }
        continue;
      }
      // A head of its own, beside another head of the same module that is stepped.
      auto OnlyHere = [&](size_t Term) {
        std::set<TensorId> Result = Loss[Term];
        for (size_t K = 0; K < Loss.size(); ++K)
          if (K != Term)
            for (TensorId T : Loss[K])
              Result.erase(T);
        return Result;
      };
      std::set<TensorId> Mine = OnlyHere(I);
      if (Loss.size() < 2 || Mine.empty() || !std::all_of(Mine.begin(), Mine.end(), Lost) ||
          std::any_of(Mine.begin(), Mine.end(), [&](TensorId T) { return Fixed.count(T) != 0; }))
        continue;
      for (size_t K = 0; K < Loss.size(); ++K) {
        if (K == I)
          continue;
        std::set<TensorId> Theirs = OnlyHere(K);
        for (const Tree &X : Trees)
          if (std::includes(X.Own.begin(), X.Own.end(), Mine.begin(), Mine.end()) &&
              std::any_of(Theirs.begin(), Theirs.end(),
                          [&](TensorId T) { return Held(T) && X.Own.count(T); }))
            Report(*Mine.begin());
      }
    }
}

/// Two optimizers over the very same parameters, beside a module that a loss trains and none holds:
/// one of them was to hold that. It is the one that first steps what the backward() gave that reached
/// the module.
void Interpreter::judgeTwins(const std::vector<ObjectId> &Modules,
                             const std::vector<ObjectId> &Stepped) {
  const autograd::State &S = Torch.S;
  auto Lost = [&](const std::pair<std::string, CellId> &Named) {
    const Operand T = tensorOperand(Named.second);
    if (!T.T)
      return false;
    const autograd::Tensor &X = S.Tensors[T.T];
    return X.LeafRequiresGrad && X.EverReached == Reach::Live && X.Life && !X.Untracked &&
           !X.GradTensor && !Torch.isTrained(T.T);
  };
  auto StepsFirst = [&](ObjectId Optimizer, uint32_t Walk) {
    for (TensorId T : P.Objects[Optimizer].Held)
      if (S.Tensors[T].Life)
        for (const autograd::Share &X : S.Tensors[T].Life->Shares)
          if (X.Walk == Walk && !X.SteppedBy.empty())
            return X.SteppedBy.front() == Optimizer.Value;
    return false;
  };
  auto HasTwin = [&](ObjectId Optimizer) {
    return std::any_of(Stepped.begin(), Stepped.end(), [&](ObjectId Other) {
      return Other != Optimizer && P.Objects[Other].Held == P.Objects[Optimizer].Held;
    });
  };
  for (ObjectId Id : Stepped) {
    const Object Optimizer = P.Objects[Id];
    if (Optimizer.Held.empty() || !Optimizer.Built || !HasTwin(Id) ||
        Torch.Repaired.count(Optimizer.Built.Number))
      continue;
    for (ObjectId M : Modules) {
      std::vector<std::pair<std::string, CellId>> All;
      parametersOf(M, All, "", false);
      if (All.empty() || P.Objects[M].Loaded || P.Objects[M].Training == 0 ||
          !std::all_of(All.begin(), All.end(), Lost))
        continue;
      const TensorId T = tensorOperand(All.front().second).T;
      const std::vector<autograd::Share> &Shares = S.Tensors[T].Life->Shares;
      if (Shares.empty() || !StepsFirst(Id, Shares.back().Walk))
        continue;
      Defect D{DefectKind::OtherOptimized, Outcome::Stale, Optimizer.Built,
               "another optimizer holds the same parameters, and none holds " +
                   quoted(Torch.nameOf(T)) + ", which the loss before its step trains", {}};
      D.Chain.push_back({S.Tensors[T].Made, "it is made here"});
      D.Chain.push_back({Optimizer.Built, "the optimizer is built over other parameters here"});
      D.Chain.push_back({S.Tensors[T].ReachedBy, "backward() gives it a gradient here"});
      D.Chain.push_back({Optimizer.Stepped, "step() passes it over here"});
      Torch.S.Defects.push_back(std::move(D));
      break;
    }
  }
}

} // namespace torch_tidy::model
