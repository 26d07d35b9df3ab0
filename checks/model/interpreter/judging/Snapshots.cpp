// What is kept of earlier values, and shares their memory.
#include "interpreter/Interpreter.h"

#include "autograd/OperatorTraits.h"

#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"
#include "clang/Basic/SourceManager.h"

#include <algorithm>

using namespace clang;

namespace torch_tidy::model {

using autograd::Alias;
using autograd::Defect;
using autograd::DefectKind;
using autograd::Outcome;
using autograd::Suspicion;

/// Note [Snapshots that share memory]
/// A tensor is a handle: the best weights so far, the weights of the last round, a target network, a
/// replay buffer's entries follow the live ones unless they are copies. Keeping a handle is no
/// defect. It is one where the program shows that it took what it kept for the old content:
///  - it copies a tensor onto itself (the restored weights, the synchronised target), or subtracts
///    it from itself (the distance from a reference), through a handle that it kept before the
///    content changed: the result says nothing that the old content would not have been needed for;
///  - it does so, without a change in between, to the parameters of a module that it calls by two
///    names, wherever that place never copies anything else (a part that two networks share may be
///    copied along with the rest);
///  - it puts a tensor into a list twice, with a change in between, and stacks the list: all of
///    these entries hold the last content.
/// `x - x.detach()`, with nothing written in between, is the trick that it looks like.
struct Interpreter::SelfUse {
  bool Copies = false; ///< writes the destination (a difference otherwise)
  bool Same = false;   ///< destination and source are one
  CellId Old;          ///< the handle that was kept before the content changed, if any
  TensorId Destination;
  autograd::StorageId Memory;
};

namespace {

bool oneRegion(const autograd::Tensor &X, const autograd::Tensor &Y) {
  return X.Memory == Y.Memory && X.Where == Y.Where &&
         std::none_of(X.Where.begin(), X.Where.end(), [](int I) { return I < 0; });
}

/// The variable that a chain of calls, subscripts and members begins with.
const ValueDecl *rootOf(const Expr *E) {
  while (E) {
    E = withoutTemporaries(E);
    if (const auto *C = dyn_cast<CXXConstructExpr>(E); C && C->getNumArgs() == 1)
      E = C->getArg(0);
    else if (const auto *C = dyn_cast<CXXMemberCallExpr>(E))
      E = C->getImplicitObjectArgument();
    else if (const auto *O = dyn_cast<CXXOperatorCallExpr>(E); O && O->getNumArgs() > 0)
      E = O->getArg(0);
    else if (const auto *M = dyn_cast<MemberExpr>(E); M && !isa<CXXThisExpr>(M->getBase()))
      E = M->getBase();
    else if (const auto *M = dyn_cast<MemberExpr>(E))
      return M->getMemberDecl();
    else if (const auto *D = dyn_cast<DeclRefExpr>(E))
      return D->getDecl();
    else
      return nullptr;
  }
  return nullptr;
}

uint32_t together(Site A, Site B) { return A.Number * 65599u + B.Number; }

} // namespace

/// Whether an expression reads, through another variable than But, a tensor on this memory.
bool Interpreter::mentions(const Expr *E, const ValueDecl *But, autograd::StorageId Memory) {
  std::vector<const Stmt *> Work{E};
  for (size_t I = 0; I < Work.size() && I < 256; ++I) {
    if (!Work[I])
      continue;
    const ValueDecl *D = nullptr;
    CellId Where;
    if (const auto *R = dyn_cast<DeclRefExpr>(Work[I]); R && Current) {
      D = R->getDecl();
      if (auto It = Current->Variables.find(D); It != Current->Variables.end())
        Where = It->second;
    } else if (const auto *M = dyn_cast<MemberExpr>(Work[I]);
               M && isa<CXXThisExpr>(M->getBase()->IgnoreParenImpCasts()) && Current &&
               Current->This.isObject()) {
      D = M->getMemberDecl();
      if (auto F = P.Objects[Current->This.O].field(D->getNameAsString()))
        Where = *F;
    }
    if (D && D != But && Where)
      for (const Operand &X : tensorsIn(get(Where)))
        if (X.T && Torch.S.Tensors[X.T].Memory == Memory)
          return true;
    Work.insert(Work.end(), Work[I]->child_begin(), Work[I]->child_end());
  }
  return false;
}

/// Where a module that holds this parameter got a second name.
std::optional<Site> Interpreter::secondNameOf(TensorId T) {
  std::map<ObjectId, std::vector<Site>> Names;
  for (const auto &[M, At] : P.ModuleNames)
    Names[M].push_back(At);
  std::optional<Site> Best;
  size_t Most = 0;
  for (const auto &[M, At] : Names) {
    if (At.size() < 2)
      continue;
    std::vector<std::pair<std::string, CellId>> All;
    parametersOf(M, All, "", false);
    parametersOf(M, All, "", true);
    if (All.size() <= Most || std::none_of(All.begin(), All.end(), [&](const auto &X) {
          const TensorId Own = tensorOperand(X.second).T;
          return Own && Torch.S.Tensors[Own].Memory == Torch.S.Tensors[T].Memory;
        }))
      continue;
    Best = At[1];
    Most = All.size();
  }
  return Best;
}

/// Whether a handle was kept before its content changed, elsewhere than in the expression of C.
bool Interpreter::keptBefore(CellId Handle, const Call &C) const {
  const Value V = get(Handle);
  const autograd::Tensor &X = Torch.S.Tensors[V.T.T];
  const std::vector<autograd::Write> &Changes = Torch.S.Storages[X.Memory].Writes;
  for (size_t I = V.T.Seen; I < Changes.size() && (V.Bound || X.AliasMade); ++I) {
    const SourceLocation L = location(Changes[I].At);
    if (!Changes[I].SameContent && !Changes[I].Tracked && // those: Note [Old handles]
        autograd::overlap(Changes[I].Where, X.Where) &&
        !(C.E && L.isValid() && Sources.isPointWithin(L, C.E->getBeginLoc(), C.E->getEndLoc())))
      return true;
  }
  return false;
}

std::shared_ptr<Interpreter::SelfUse> Interpreter::selfUse(const Call &C) {
  bool Method = C.Method && Kinds.kind(C.Method->getParent()) == ClassKind::Tensor;
  if (C.Method && !Method)
    return nullptr;
  llvm::StringRef N = C.Name;
  bool Assigns = Method && C.Operator == OO_Equal && C.Method->getRefQualifier() == RQ_RValue;
  bool Writes = Method && (N == "copy_" || N == "set_data" || N == "lerp_" || N == "add_" ||
                           N == "sub_" || C.Operator == OO_PlusEqual ||
                           C.Operator == OO_MinusEqual || Assigns);
  bool Compares = C.Operator == OO_Minus || (Method && (N == "sub" || N == "subtract")) ||
                  (!Method && (N == "sub" || N == "subtract" || N == "mse_loss" ||
                               N == "l1_loss" || N == "smooth_l1_loss" || N == "huber_loss"));
  if (!Writes && !Compares)
    return nullptr;
  std::vector<CellId> Operands = C.Arguments;
  if (Method)
    Operands.insert(Operands.begin(), C.Self);
  if (Operands.size() < 2 || get(Operands[0]).K != Value::Tensor || get(Operands[1]).K != Value::Tensor)
    return nullptr;
  const Operand X = get(Operands[0]).T, Y = get(Operands[1]).T;
  if (!X.T || !Y.T)
    return nullptr;
  const autograd::State &S = Torch.S;
  const autograd::Tensor &To = S.Tensors[X.T], &From = S.Tensors[Y.T];
  if (To.Untracked || From.Untracked)
    return nullptr;
  auto Use = std::make_shared<SelfUse>();
  Use->Copies = Writes;
  Use->Destination = X.T;
  Use->Memory = To.Memory;
  bool Transfers = N == "copy_" || N == "set_data" || N == "lerp_" || Assigns || Compares;
  Use->Same = Transfers && (X.T == Y.T || oneRegion(To, From));
  if (!Use->Same) {
    // tp.mul_(t).add_(p, 1 - t), tp.copy_(t * tp + (1 - t) * p): through another name.
    if (!Writes || !C.E)
      return Writes ? Use : nullptr;
    const Expr *Written = C.E;
    const Expr *Left = nullptr;
    if (const auto *M = dyn_cast<CXXMemberCallExpr>(Written))
      Left = M->getImplicitObjectArgument();
    else if (const auto *O = dyn_cast<CXXOperatorCallExpr>(Written))
      Left = O->getArg(0);
    const ValueDecl *Root = rootOf(Left);
    // What grad mode refuses is looked at where the refusal is repaired.
    if (S.GradMode && To.Through == Alias::None && !Torch.Repaired.count(C.At.Number))
      return nullptr;
    for (const Expr *A : C.Written)
      Use->Same |= A && Root && mentions(A, Root, To.Memory);
    // An average of weights, and no step: its author wanted the old ones in it.
    const auto *Scaled = dyn_cast_or_null<CXXMemberCallExpr>(Left ? Left->IgnoreParenImpCasts() : nullptr);
    const CXXMethodDecl *Before = Scaled ? Scaled->getMethodDecl() : nullptr;
    const bool ByFactor = Before && Before->getDeclName().isIdentifier() && Before->getName() == "mul_";
    const bool Averages = N == "copy_" ? !From.OfGradient : oneRegion(To, From) && ByFactor;
    if (Use->Same && Averages && keptBefore(Operands[0], C))
      Use->Old = Operands[0];
    return Use;
  }
  auto Kept = [&](CellId H) { return keptBefore(H, C); };
  if (Kept(Operands[1]))
    Use->Old = Operands[1];
  if (Compares && Kept(Operands[0])) {
    // Of two old handles the alias, or the second name, is the snapshot.
    auto Rank = [&](CellId H) {
      const Value V = get(H);
      return 2 * (S.Tensors[V.T.T].Through != Alias::None) + V.T.Kept;
    };
    if (!Use->Old || Rank(Operands[0]) > Rank(Operands[1]))
      Use->Old = Operands[0];
  }
  return Use;
}

void Interpreter::noteSelfUse(const SelfUse &Use, const Call &C, CellId Result) {
  auto &S = Torch.S;
  const uint32_t Place = together(C.At, Current ? Current->CalledAt : Site());
  if (!Use.Same) {
    P.SelfCopies[Place].Copies = true;
    return;
  }
  Defect D{DefectKind::SharedSnapshot, Use.Copies ? Outcome::Stale : Outcome::Wrong, {}, "", {}};
  const std::string Name = "'" + Torch.nameOf(Use.Destination) + "'";
  if (Use.Old) {
    const Value V = get(Use.Old);
    D.Culprit = V.Bound ? V.Bound : S.Tensors[V.T.T].AliasMade;
    D.Message = "what is kept of " + Name + " here shares its memory, and has changed with it when " +
                (Use.Copies ? "it is copied back" : "the two are compared");
    D.Chain.push_back({D.Culprit, "it is kept here, without clone()"});
    const std::vector<autograd::Write> &Changes = S.Storages[Use.Memory].Writes;
    if (V.T.Seen < Changes.size())
      D.Chain.push_back({Changes[V.T.Seen].At, "the content changes here"});
  } else {
    if (!Use.Copies)
      return;
    std::optional<Site> Second = secondNameOf(Use.Destination);
    if (!Second)
      return;
    D.Culprit = *Second;
    D.Message = "this is a second name for one module, not a copy of it: " + Name +
                " is updated from itself";
    D.Chain.push_back({D.Culprit, "the module gets another name here"});
  }
  D.Chain.push_back({C.At, Use.Copies ? "the tensor is written with its own content here"
                                      : "the tensor is compared with itself here"});
  if (!D.Culprit || Torch.Repaired.count(D.Culprit.Number))
    return;
  D.Also = C.At;
  if (Use.Copies && !Use.Old) {
    P.SelfCopies[Place].Defects.push_back(std::move(D));
    return;
  }
  Suspicion New;
  New.What = std::move(D);
  if (Use.Copies) {
    if (S.Stepped)
      Torch.accuse(std::move(New));
    return;
  }
  const Value R = get(Result);
  if (R.K != Value::Tensor || !R.T.T)
    return;
  for (CellId A : C.Arguments)
    if (const Value V = get(A); V.K == Value::Tensor && V.T.T && S.Tensors[V.T.T].LeafRequiresGrad)
      New.About = V.T.T;
  if (S.Tensors[Use.Destination].LeafRequiresGrad)
    New.About = Use.Destination;
  Torch.markZero(R.T.T, New.What.Culprit);
  Torch.suspect(R.T.T, std::move(New));
}

/// Between a forward pass and its backward() such a copy changes what was saved of the very weights
/// that it was to leave alone: that is what comes of the second name, and no other defect.
/// The others are told of where the program was run to its end.
void Interpreter::judgeSelfCopies(bool Ended) {
  std::vector<Defect> &All = Torch.S.Defects;
  for (const auto &[Place, X] : P.SelfCopies) {
    if (X.Copies)
      continue;
    for (Defect D : X.Defects) {
      const Stmt *Copy = statement(D.Also);
      auto Follows = [&](const Defect &Other) {
        return (Other.Kind == DefectKind::SavedOverwritten ||
                Other.Kind == DefectKind::SavedChanged) &&
               (Other.Culprit == D.Also ||
                (Copy && Sources.isPointWithin(location(Other.Culprit), Copy->getBeginLoc(),
                                               Copy->getEndLoc())));
      };
      auto It = std::find_if(All.begin(), All.end(), Follows);
      if (It != All.end()) {
        D.Effect = It->Effect;
        D.Chain.insert(D.Chain.end(), It->Chain.begin(), It->Chain.end());
        All.erase(std::remove_if(All.begin(), All.end(), Follows), All.end());
      } else if (!Ended) {
        continue;
      }
      All.push_back(std::move(D));
    }
  }
}

/// stack() or cat() of a list that holds one tensor twice, written in between.
void Interpreter::noteKeptTwice(const Call &C, CellId Result) {
  if (C.Method || (C.Name != "stack" && C.Name != "cat" && C.Name != "concat") || C.Arguments.empty())
    return;
  const Value List = get(C.Arguments[0]), R = get(Result);
  if (!List.isObject() || P.Objects[List.O].K != Object::Sequence || R.K != Value::Tensor || !R.T.T)
    return;
  const autograd::State &S = Torch.S;
  const std::vector<CellId> Elements = P.Objects[List.O].Elements;
  for (size_t I = 0; I < Elements.size(); ++I)
    for (size_t K = I + 1; K < Elements.size(); ++K) {
      const Value First = get(Elements[I]), Second = get(Elements[K]);
      if (First.K != Value::Tensor || Second.K != Value::Tensor || !First.T.T || !Second.T.T ||
          !First.Bound || First.T.Seen >= Second.T.Seen ||
          !oneRegion(S.Tensors[First.T.T], S.Tensors[Second.T.T]) ||
          S.Tensors[First.T.T].Untracked || S.Tensors[First.T.T].BlobAt ||
          Torch.Repaired.count(First.Bound.Number))
        continue;
      const std::vector<autograd::Write> &Changes = S.Storages[S.Tensors[First.T.T].Memory].Writes;
      Suspicion New;
      New.What = {DefectKind::SharedSnapshot, Outcome::Wrong, First.Bound,
                  "the list keeps one tensor several times, which is written in between: all of its "
                  "entries hold the last content",
                  {}};
      New.What.Chain.push_back({First.Bound, "it is kept here, without clone()"});
      if (First.T.Seen < Changes.size())
        New.What.Chain.push_back({Changes[First.T.Seen].At, "the content changes here"});
      New.What.Chain.push_back({C.At, "the entries are read here"});
      Torch.suspect(R.T.T, std::move(New));
      return;
    }
}

/// `model = best;` where both are one module.
void Interpreter::noteReassigned(const Call &C) {
  if (C.Operator != OO_Equal || !C.Method || !C.Self || C.Arguments.empty() || !Torch.S.Stepped)
    return;
  ClassKind K = Kinds.kind(C.Method->getParent());
  if (K != ClassKind::ModuleHolder && K != ClassKind::SmartPointer)
    return;
  const Value To = get(C.Self), From = get(C.Arguments[0]);
  if (!To.isObject() || !From.isObject() || To.O != From.O || P.Objects[To.O].K != Object::Module ||
      !From.Bound || From.Bound == To.Bound || C.Self == C.Arguments[0])
    return;
  Suspicion New;
  New.What = {DefectKind::SharedSnapshot, Outcome::Stale, From.Bound,
              "this is a second name for one module, not a copy of it: taking it back restores nothing",
              {}};
  if (Torch.Repaired.count(From.Bound.Number))
    return;
  New.What.Chain.push_back({From.Bound, "the module gets another name here"});
  New.What.Chain.push_back({C.At, "it is assigned to the variable that has it already here"});
  Torch.accuse(std::move(New));
}

/// The tensors in a copied container or record were kept here.
void Interpreter::copiedFrom(const Value &V, Site At, unsigned Depth) {
  if (!V.isObject() || Depth > 4)
    return;
  const Object O = P.Objects[V.O];
  if (O.K != Object::Sequence && O.K != Object::Map && O.K != Object::Record && O.K != Object::Tuple)
    return;
  auto Take = [&](CellId C) {
    const Value X = get(C);
    if (X.K == Value::Tensor && X.T.T) {
      Value &Now = P.Cells.edit(C);
      Now.T = Torch.bind(X.T.T);
      Now.T.Named = true;
      Now.Bound = At;
    } else {
      copiedFrom(X, At, Depth + 1);
    }
  };
  for (CellId C : O.Elements)
    Take(C);
  for (const auto &[N, C] : O.Fields)
    Take(C);
}

} // namespace torch_tidy::model
