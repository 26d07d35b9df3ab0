// Note [Joining]
// A program that went two ways can go on as one where nothing that follows could tell the ways
// apart, as far as gradients are concerned. What follows reaches the past through what existed
// before the ways parted (both have it under the same number): variables, objects, tensors, and the value that the region returns. So
// only those are compared, and what is new is compared where it is reached from them, by pairing
// new things on one side with new things on the other (the tapes are isomorphic, though their
// nodes have different numbers). Whatever the ways made and dropped, a forward pass for a metric
// with its whole tape, makes no difference.
//
// Some differences are given up rather than kept apart:
//   - numbers and strings become unknown ones;
//   - whether data is there at all: an undefined tensor and data become data that may be undefined;
//   - training and evaluation mode become an unknown mode;
//   - records and containers that lead to nothing of autograd's (images, options, file names, data
//     sets, what is drawn) may hold anything afterwards;
//   - writes to memory that no node ever saved, as initialisers do: nobody can notice them;
//   - what a graph was like that backward() has walked: walked again, it raises all the same;
//   - where a node was made, though not where a write or a cut was: those are what a finding points
//     at.
//   - what variables hold that nobody reads again before they are given something else, and all
//     that hangs on nothing but them: the tape of the last round of a loop;
//   - the graph of a variable of which only the value is read again (a loss that is printed);
//   - training that one way did and the other did not, where nothing of it is left half done.
// Anything else is a difference, and the path forks.
//
// Who adds a field to a tensor, storage, node or object says here what it means for two ways that
// differ in it: what is not compared is given up. The compiler asks for it: see Decided.
#include "interpreter/joining/Join.h"

#include "interpreter/joining/Fields.h"

#include <algorithm>

namespace torch_tidy::model {

using autograd::Alias;
using autograd::Site;
using autograd::WriteKind;

/// Fails to compile where a structure has got a field that nobody has decided about: is it compared,
/// merged in apply(), or given up? (A name, a message, the place where something was made: given
/// up, unless a finding points there.) Then count it here.
template <typename T, size_t Fields> struct Decided {
  static_assert(fieldCount<T>() == Fields,
                "a field was added or removed: decide what it means for two ways that differ in it");
};
template struct Decided<ProgramState, 14>;                // joinable(), apply()
template struct Decided<autograd::State, 41>;             // joinable(), apply(), training()
template struct Decided<autograd::OptimizerRecord, 6>;    // training()
template struct Decided<autograd::Walk, 12>;               // training(), sameLife()
template struct Decided<Value, 14>;                       // values()
template struct Decided<Object, 34>;                      // objectContents()
template struct Decided<autograd::Tensor, 61>;            // tensorContents(), sameHistory(), plain()
template struct Decided<autograd::GradientLife, 3>;       // sameLife()
template struct Decided<autograd::Share, 8>;              // sameLife()
template struct Decided<autograd::DiscardedShare, 6>;     // sameLife()
template struct Decided<autograd::Factor, 5>;             // tensorContents()
template struct Decided<autograd::Dependence, 10>;         // dependences()
template struct Decided<autograd::Storage, 10>;           // storageContents()
template struct Decided<autograd::Write, 17>;             // storageContents()
template struct Decided<autograd::Counter, 2>;            // by what hangs on it: nodeContents()
template struct Decided<autograd::Family, 4>;             // familyContents()
template struct Decided<autograd::Node, 20>;              // nodeContents()
template struct Decided<autograd::SavedValue, 11>;        // nodeContents()
template struct Decided<autograd::Edge, 6>;               // nodeContents()

/// What the program did to train: see Note [The life of a gradient].
static bool sameBooks(const autograd::State &X, const autograd::State &Y) {
  auto Useful = [](const auto &L, const auto &M) {
    return std::equal(L.begin(), L.end(), M.begin(), M.end(), [](const auto &P, const auto &Q) {
      return P.At == Q.At && P.Useful == Q.Useful;
    });
  };
  return X.Optimizers.size() == Y.Optimizers.size() && X.Steps == Y.Steps && X.Clock == Y.Clock && X.Walks.size() == Y.Walks.size() &&
         X.LostTerms.size() == Y.LostTerms.size() && X.Losses.size() == Y.Losses.size() &&
         (X.Backwards > 0) == (Y.Backwards > 0) && X.IdleZeros.size() == Y.IdleZeros.size() &&
         Useful(X.Clips, Y.Clips) && Useful(X.Zeros, Y.Zeros) &&
         std::equal(X.Optimizers.begin(), X.Optimizers.end(), Y.Optimizers.begin(),
                    Y.Optimizers.end(), [](const auto &P, const auto &Q) {
                      return P.Stepped == Q.Stepped && P.Zeroed == Q.Zeroed &&
                             P.WalksBefore == Q.WalksBefore;
                    });
}

/// Whether no gradient waits for a step.
static bool allStepped(const autograd::State &S) {
  return std::all_of(S.Parameters.begin(), S.Parameters.end(), [&](autograd::TensorId P) {
    const auto &L = S.Tensors[P].Life;
    return !L || (L->Discarded.empty() &&
                  std::all_of(L->Shares.begin(), L->Shares.end(), [&](const autograd::Share &X) {
                    return !X.SteppedBy.empty() || S.Walks[{X.Walk}].Used;
                  }));
  });
}

/// Whether X did all the training since Before that Y did.
static bool didAll(const autograd::State &Before, const autograd::State &X,
                   const autograd::State &Y) {
  auto Covers = [](const auto &L, const auto &M) {
    return std::all_of(M.begin(), M.end(), [&](const auto &Q) {
      return std::any_of(L.begin(), L.end(), [&](const auto &P) {
        return P.At == Q.At && P.Useful >= Q.Useful;
      });
    });
  };
  for (uint32_t I = Before.Walks.size(); I < Y.Walks.size(); ++I) {
    bool Found = false;
    for (uint32_t J = Before.Walks.size(); J < X.Walks.size() && !Found; ++J)
      Found = X.Walks[{J}].At == Y.Walks[{I}].At && X.Walks[{J}].Used >= Y.Walks[{I}].Used;
    if (!Found)
      return false;
  }
  return X.Steps >= Y.Steps && X.LostTerms.size() >= Y.LostTerms.size() &&
         X.Losses.size() >= Y.Losses.size() && Covers(X.Clips, Y.Clips) &&
         Covers(X.Zeros, Y.Zeros) &&
         std::equal(Y.Optimizers.begin(), Y.Optimizers.end(), X.Optimizers.begin(),
                    [](const auto &Q, const auto &P) {
                      return P.Stepped >= Q.Stepped && P.Zeroed >= Q.Zeroed;
                    });
}

/// Two ways that trained differently are told apart, unless one did what the other did and more, and
/// both are through with it: a step that is taken only where a loss is large enough.
bool Joiner::training() {
  const autograd::State &TA = A.Torch, &TB = B.Torch;
  if (TA.TrainedElsewhere != TB.TrainedElsewhere || TA.Optimizers.size() < TB.Optimizers.size())
    return false;
  for (size_t I = 0; I < TB.Optimizers.size(); ++I)
    if (!(TA.Optimizers[I].Made == TB.Optimizers[I].Made) ||
        TA.Optimizers[I].Held.size() != TB.Optimizers[I].Held.size())
      return false;
  for (size_t I = TB.Optimizers.size(); I < TA.Optimizers.size(); ++I)
    if (!TA.Optimizers[I].Stepped)
      return false;
  MoreInA = allStepped(TA) && allStepped(TB) && didAll(Before.Torch, TA, TB);
  return MoreInA || sameBooks(TA, TB);
}

bool Joiner::joinable(CellId ResultA, CellId ResultB) {
  const autograd::State &TA = A.Torch, &TB = B.Torch;
  if (TA.GradMode != TB.GradMode || TA.InferenceMode != TB.InferenceMode ||
      TA.Autocast != TB.Autocast || TA.CastCache != TB.CastCache ||
      TA.AutocastNesting != TB.AutocastNesting || TA.Casts.size() != TB.Casts.size() ||
      A.ScalerStages != B.ScalerStages || TA.OpaqueBackward != TB.OpaqueBackward ||
      TA.GradModeOffForGood != TB.GradModeOffForGood || TA.GradModeOwed != TB.GradModeOwed)
    return false;
  // What is suspected goes on where it is the same, as it is told by numbers, or where A alone does.
  if (TA.Suspected.size() < TB.Suspected.size() || TA.Retained.size() != TB.Retained.size() ||
      TA.Rebindings.size() != TB.Rebindings.size() ||
      TA.OrderSuspicions.size() != TB.OrderSuspicions.size() ||
      A.LostGradients.size() != B.LostGradients.size() || A.Blobs != B.Blobs)
    return false;
  for (size_t I = 0; I < TB.Suspected.size(); ++I)
    if (!(TA.Suspected[I].What.Culprit == TB.Suspected[I].What.Culprit) ||
        TA.Suspected[I].Arrived != TB.Suspected[I].Arrived)
      return false;
  for (size_t I = 0; I < TA.OrderSuspicions.size(); ++I)
    if (!(TA.OrderSuspicions[I].D.Culprit == TB.OrderSuspicions[I].D.Culprit) ||
        TA.OrderSuspicions[I].Settled != TB.OrderSuspicions[I].Settled)
      return false;
  if (!training() || TA.Parameters.size() < TB.Parameters.size() ||
      (TA.Parameters.size() != TB.Parameters.size() && !MoreInA))
    return false;
  bool Ok = true;
  for (size_t I = 0; Ok && I < TB.Parameters.size(); ++I)
    Ok = tensors(TA.Parameters[I], TB.Parameters[I]);
  for (size_t I = 0; Ok && I < TA.Rebindings.size(); ++I)
    Ok = TA.Rebindings[I].At == TB.Rebindings[I].At &&
         tensors(TA.Rebindings[I].Old, TB.Rebindings[I].Old) &&
         tensors(TA.Rebindings[I].New, TB.Rebindings[I].New);
  for (size_t I = 0; Ok && I < TB.LostTerms.size(); ++I)
    Ok = TA.LostTerms[I].second == TB.LostTerms[I].second;
  auto Each = [&](const auto &X, const auto &Y, uint32_t Limit, auto Compare) {
    if (Ok)
      X.forEachPossiblyDifferent(X, Y, Limit, [&](auto Id) { Ok = Ok && Compare(Id); });
  };
  // What neither way touched leads nowhere new.
  auto EachReachable = [&](const auto &X, const auto &Y, const auto &Old, uint32_t Limit,
                           auto Compare) {
    Each(X, Y, Limit, [&](auto Id) {
      return (Id.Value < Old.size() && X[Id] == Old[Id] && Y[Id] == Old[Id]) || !ReachA().has(Id) ||
             Compare(Id);
    });
  };
  EachReachable(TA.Storages, TB.Storages, Before.Torch.Storages, Common.Storages,
       [&](StorageId I) { return storageContents(I, I); });
  EachReachable(TA.Families, TB.Families, Before.Torch.Families, Common.Families,
       [&](FamilyId I) { return familyContents(I, I); });
  EachReachable(TA.Tensors, TB.Tensors, Before.Torch.Tensors, Common.Tensors,
       [&](TensorId I) { return tensorContents(I, I); });
  EachReachable(TA.Nodes, TB.Nodes, Before.Torch.Nodes, Common.Nodes,
       [&](NodeId I) { return nodeContents(I, I); });
  Each(A.Objects, B.Objects, Common.Objects,
       [&](ObjectId I) { return ReachA().isForgotten(I) || objectContents(I, I); });
  Each(A.Cells, B.Cells, Common.Cells, [&](CellId C) {
    const Value &X = A.Cells[C], &Y = B.Cells[C];
    bool Soft = (X.K == Value::Unknown || X.isKnownNumber()) &&
                (Y.K == Value::Unknown || Y.isKnownNumber());
    if (!Soft && ReachA().isForgotten(C))
      return true;
    if (!Soft && ReachA().isValueOnly(C) && X.isTensor() && Y.isTensor() && X.T.T && Y.T.T)
      return true;
    Verdict V = values(X, Y);
    note(V, C);
    return V != Verdict::Conflict;
  });
  if (Ok && (ResultA || ResultB))
    Ok = ResultA && ResultB && cells(ResultA, ResultB);
  return Ok && pendingNodes();
}

void Joiner::apply(ProgramState &To, llvm::function_ref<Value(ProgramState &)> Fresh) const {
  To.FreshSymbols = std::max(A.FreshSymbols, B.FreshSymbols);
  for (const auto &[C, KeepsOrigin] : Unequal) {
    Value V = Fresh(To);
    if (KeepsOrigin)
      V.T = To.Cells[C].K == Value::Unknown || To.Cells[C].isKnownNumber() ? To.Cells[C].T : Operand();
    To.Cells.edit(C) = V;
  }
  for (CellId C : PerhapsUndefined) {
    autograd::Tensor T;
    if (TensorId Old = To.Cells[C].T.T)
      T = To.Torch.Tensors[Old];
    else
      T.MadeBy = "data";
    T.PerhapsUndefined = true;
    T.Memory = To.Torch.Storages.add({});
    T.Count = To.Torch.Counters.add({});
    T.Kin = To.Torch.Families.add({});
    FamilyId Kin = T.Kin;
    StorageId Memory = T.Memory;
    TensorId New = To.Torch.Tensors.add(std::move(T));
    To.Torch.Families.edit(Kin).Base = New;
    To.Torch.Storages.edit(Memory).Tensors = {New};
    Value V = Value::tensor({New, 0});
    To.Cells.edit(C) = V;
  }
  for (ObjectId O : Opened) {
    Object &X = To.Objects.edit(O);
    X.Open = true;
    for (Value &K : X.Keys)
      K = Fresh(To);
  }
  for (const auto &[O, At] : LeftInEval)
    To.Objects.edit(O).EvalAt = At;
  for (ObjectId O : EitherMode) {
    To.InEval -= To.Objects[O].Training == 0;
    To.Objects.edit(O).Training = -1;
  }
  for (NodeId N : Perhaps)
    To.Torch.Nodes.edit(N).WalkedPerhaps = true;
  for (StorageId M : NotZero)
    To.Torch.Storages.edit(M).Zero = false;
  for (const auto &[M, Holds] : Wider)
    To.Torch.Storages.edit(M).Holds = Holds;
  for (auto It = To.Assumed.begin(); It != To.Assumed.end();) {
    auto Other = B.Assumed.find(It->first);
    if (Other == B.Assumed.end() || Other->second != It->second)
      It = To.Assumed.erase(It);
    else
      ++It;
  }
  for (size_t I = B.Torch.Suspected.size(); I < To.Torch.Suspected.size(); ++I)
    To.Torch.Suspected[I].What.Sometimes = true;
  To.Torch.Effects = std::max(A.Torch.Effects, B.Torch.Effects);
  To.Torch.Decisions = std::max(A.Torch.Decisions, B.Torch.Decisions);
  To.Torch.PeriodicDecisions = std::max(A.Torch.PeriodicDecisions, B.Torch.PeriodicDecisions);
  To.Torch.TrainedElsewhere |= B.Torch.TrainedElsewhere;
  To.HandedOver |= B.HandedOver;
  for (uint32_t I = 0; I < To.Torch.Walks.size(); ++I)
    if (I < B.Torch.Walks.size() && B.Torch.Walks[{I}].At == To.Torch.Walks[{I}].At &&
        B.Torch.Walks[{I}].Used && !To.Torch.Walks[{I}].Used)
      To.Torch.Walks.edit({I}).Used = true;
  To.Torch.Backwards = std::max(A.Torch.Backwards, B.Torch.Backwards);
  mergeDefects(To.Torch, B.Torch, Before.Torch.Defects.size());
  mergeSelfCopies(To);
  mergeModuleNames(To);
}

/// A place that copies others on one way, copies others; what it copies onto itself on one way alone,
/// it does sometimes.
void Joiner::mergeSelfCopies(ProgramState &To) const {
  auto AddTo = [](SelfCopy &X, const SelfCopy &Other) {
    auto Has = [](const SelfCopy &Y, const autograd::Defect &D) {
      return std::any_of(Y.Defects.begin(), Y.Defects.end(),
                         [&](const autograd::Defect &E) { return E.Culprit == D.Culprit; });
    };
    for (autograd::Defect &D : X.Defects)
      D.Sometimes |= !Has(Other, D);
    for (const autograd::Defect &D : Other.Defects)
      if (!Has(X, D)) {
        X.Defects.push_back(D);
        X.Defects.back().Sometimes = true;
      }
    X.Copies |= Other.Copies;
  };
  for (const auto &[Place, X] : B.SelfCopies)
    To.SelfCopies.try_emplace(Place);
  for (auto &[Place, X] : To.SelfCopies) {
    auto It = B.SelfCopies.find(Place);
    AddTo(X, It == B.SelfCopies.end() ? SelfCopy() : It->second);
  }
}

/// A module has all the names that it got on either way.
void Joiner::mergeModuleNames(ProgramState &To) const {
  llvm::DenseMap<uint32_t, uint32_t> InA;
  for (const auto &[X, Y] : ObjectMap)
    InA[Y] = X;
  for (auto [M, At] : B.ModuleNames) {
    if (M.Value >= Common.Objects) {
      auto It = InA.find(M.Value);
      if (It == InA.end())
        continue;
      M.Value = It->second;
    }
    if (std::find(To.ModuleNames.begin(), To.ModuleNames.end(), std::pair(M, At)) ==
        To.ModuleNames.end())
      To.ModuleNames.push_back({M, At});
  }
}

/// What one of the ways does right, the program does right.
static void addAcquittals(autograd::State &To, const autograd::State &From) {
  for (const autograd::Acquittal &A : From.Acquitted)
    if (std::find(To.Acquitted.begin(), To.Acquitted.end(), A) == To.Acquitted.end())
      To.Acquitted.push_back(A);
}

static bool hasDefect(const autograd::State &S, const autograd::Defect &D, size_t From) {
  return std::any_of(S.Defects.begin() + static_cast<ptrdiff_t>(std::min(From, S.Defects.size())),
                     S.Defects.end(), [&](const autograd::Defect &X) {
                       return X.Kind == D.Kind && X.Effect == D.Effect && X.Culprit == D.Culprit;
                     });
}

void Joiner::addDefects(autograd::State &To, const autograd::State &From, size_t Common) {
  addAcquittals(To, From);
  for (size_t I = Common; I < From.Defects.size(); ++I)
    if (!hasDefect(To, From.Defects[I], Common)) {
      To.Defects.push_back(From.Defects[I]);
      To.Defects.back().Sometimes = true;
    }
}

void Joiner::mergeDefects(autograd::State &To, const autograd::State &From, size_t Common) {
  for (size_t I = Common; I < To.Defects.size(); ++I)
    if (!hasDefect(From, To.Defects[I], Common))
      To.Defects[I].Sometimes = true;
  addDefects(To, From, Common);
}

//===--- values ----------------------------------------------------------------------------===//

Joiner::Verdict Joiner::values(const Value &X, const Value &Y) {
  auto Soft = [](const Value &V) {
    return V.K == Value::Unknown || V.isKnownNumber() || V.K == Value::Null;
  };
  auto Either = [](bool Same) { return Same ? Verdict::Same : Verdict::Conflict; };
  auto SinceBound = [](const ProgramState &S, const Operand &T) {
    return S.Torch.Storages[S.Torch.Tensors[T.T].Memory].Writes.size() - T.Seen;
  };
  auto SameSinceBound = [&] {
    return SinceBound(A, X.T) == SinceBound(B, Y.T) ||
           (MoreInA && X.T.T == Y.T.T && X.T.Seen == Y.T.Seen);
  };
  if (Soft(X) && Soft(Y)) {
    bool Same = X.K == Y.K && X.I == Y.I && X.D == Y.D && X.Symbol == Y.Symbol &&
                X.Negated == Y.Negated;
    // What a number was read from goes on only where both sides read it.
    Same = Same && (X.T.T == Y.T.T || (X.T.T && Y.T.T && tensors(X.T.T, Y.T.T)));
    if (!Same && X.T.T && !Y.T.T)
      return Verdict::ForgetOrigin;
    return Same ? Verdict::Same : Verdict::Forget;
  }
  if (X.K == Y.K) {
    switch (X.K) {
    case Value::Tensor:
      if (!X.T.T != !Y.T.T)
        return plain(X.T.T ? A : B, X.T.T ? X.T.T : Y.T.T) ? Verdict::ForgetDefined
                                                                     : Verdict::Conflict;
      if (X.T.T != Y.T.T && finished(X.T.T, Y.T.T))
        return Verdict::Same;
      // See Note [Old handles].
      return Either(tensors(X.T.T, Y.T.T) &&
                    (!X.T.T || plain(A, X.T.T) || (X.T.Kept == Y.T.Kept && SameSinceBound())));
    case Value::RawData:
      return Either(tensors(X.T.T, Y.T.T));
    case Value::Function:
      return Either(X.F == Y.F);
    case Value::Pointer:
      if (cells(X.C, Y.C))
        return Verdict::Same;
      break;
    case Value::Object:
      if (objects(X.O, Y.O))
        return Verdict::Same;
      break;
    default:
      break;
    }
  }
  return inert(A, X) && inert(B, Y) ? Verdict::Forget : Verdict::Conflict;
}

/// Whether nothing of autograd's hangs on a value: it may as well be unknown. An undefined tensor
/// does hang on it: programs ask defined().
bool Joiner::inert(const ProgramState &S, const Value &V, unsigned Depth) const {
  if (Depth > 12)
    return false;
  switch (V.K) {
  case Value::Unknown:
  case Value::Integer:
  case Value::Floating:
    return !V.T.T || plain(S, V.T.T);
  case Value::Null:
    return true;
  case Value::Tensor:
    return V.T.T && plain(S, V.T.T) && Depth > 0;
  case Value::RawData:
    return plain(S, V.T.T);
  case Value::Function:
    return false;
  case Value::Pointer:
    return inert(S, S.Cells[V.C], Depth + 1);
  case Value::Object:
    break;
  }
  const Object &O = S.Objects[V.O];
  switch (O.K) {
  case Object::Record:
  case Object::Sequence:
  case Object::Map:
  case Object::Tuple:
  case Object::Box:
  case Object::Options:
  case Object::Iterator:
    break;
  default:
    return false;
  }
  for (CellId C : O.Elements)
    if (!inert(S, S.Cells[C], Depth + 1))
      return false;
  for (const auto &[N, C] : O.Fields)
    if (!inert(S, S.Cells[C], Depth + 1))
      return false;
  return true;
}

bool Joiner::cells(CellId X, CellId Y) {
  if (std::optional<bool> P = paired(CellMap, X, Y, Common.Cells))
    return *P;
  Verdict V = values(A.Cells[X], B.Cells[Y]);
  note(V, X);
  return V != Verdict::Conflict;
}

void Joiner::note(Verdict V, CellId C) {
  if (V == Verdict::ForgetDefined)
    PerhapsUndefined.push_back(C);
  if (V == Verdict::Forget || V == Verdict::ForgetOrigin)
    Unequal.push_back({C, V == Verdict::Forget});
}

bool Joiner::objects(ObjectId X, ObjectId Y) {
  if (std::optional<bool> P = paired(ObjectMap, X, Y, Common.Objects))
    return *P;
  return objectContents(X, Y);
}

bool Joiner::objectContents(ObjectId IdX, ObjectId IdY) {
  const Object &X = A.Objects[IdX], &Y = B.Objects[IdY];
  if (X.K != Y.K || X.Class != Y.Class || X.Name != Y.Name || X.Dead != Y.Dead)
    return false;
  auto Lists = [&](const std::vector<CellId> &L, const std::vector<CellId> &M) {
    if (L.size() != M.size())
      return false;
    for (size_t I = 0; I < L.size(); ++I)
      if (!cells(L[I], M[I]))
        return false;
    return true;
  };
  auto Members = [&](const auto &L, const auto &M, auto Compare) {
    if (L.size() != M.size())
      return false;
    for (size_t I = 0; I < L.size(); ++I)
      if (L[I].first != M[I].first || !Compare(L[I].second, M[I].second))
        return false;
    return true;
  };
  auto Cells = [&](CellId C, CellId D) { return cells(C, D); };
  auto Values = [&](const Value &V, const Value &W) { return values(V, W) == Verdict::Same; };
  switch (X.K) {
  case Object::Module:
    // An evaluation that one way did and the other did not, is one that perhaps took place; of two
    // that both did, the one that needed less is there on either way.
    if (Y.Evaluated && !X.Evaluated)
      return false;
    if (X.EvalAt && Y.EvalAt && X.Evaluated == Y.Evaluated && !(X.EvalAt == Y.EvalAt))
      LeftInEval.push_back({IdX, Y.EvalAt});
    if (X.Training != Y.Training || X.Evaluated != Y.Evaluated)
      EitherMode.push_back(IdX);
    if (!Members(X.Parameters, Y.Parameters, Cells) ||
        !Members(X.Buffers, Y.Buffers, Cells) || !Members(X.Members, Y.Members, Cells) ||
        !Members(X.Children, Y.Children, Values))
      return false;
    break;
  case Object::Optimizer:
    if (X.Held.size() != Y.Held.size())
      return false;
    for (size_t I = 0; I < X.Held.size(); ++I)
      if (!tensors(X.Held[I], Y.Held[I]))
        return false;
    break;
  case Object::Closure:
    if (X.Lambda != Y.Lambda || X.Callee != Y.Callee ||
        !Members(X.Captures, Y.Captures, Cells) || !Values(X.This, Y.This))
      return false;
    break;
  case Object::Guard:
    if (X.PreviousGradMode != Y.PreviousGradMode ||
        X.PreviousInferenceMode != Y.PreviousInferenceMode)
      return false;
    break;
  case Object::Iterator:
    if (X.Position != Y.Position)
      return false;
    break;
  default:
    break;
  }
  // Members appear as they are asked for, so that one side may know fewer of them.
  for (const auto &[N, C] : X.Fields)
    if (auto D = Y.field(N); D && !cells(C, *D))
      return false;
  bool Opens = X.Open != Y.Open || X.External != Y.External;
  if (X.Elements.size() != Y.Elements.size()) {
    if (!inert(A, Value::object(IdX)) || !inert(B, Value::object(IdY)))
      return false;
    for (CellId C : X.Elements)
      if (A.Cells[C].isKnownNumber() || A.Cells[C].K == Value::Unknown)
        note(Verdict::Forget, C);
    Opens = true;
  } else if (!Lists(X.Elements, Y.Elements)) {
    return false;
  }
  for (size_t I = 0; I < X.Keys.size() && I < Y.Keys.size(); ++I)
    Opens |= values(X.Keys[I], Y.Keys[I]) != Verdict::Same;
  if (Opens)
    Opened.push_back(IdX);
  return true;
}

} // namespace torch_tidy::model
