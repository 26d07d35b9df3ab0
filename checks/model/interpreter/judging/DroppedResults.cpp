// Operations out of place whose result nobody takes: `x.clamp(0, 1);`, `add_penalty(loss, net);`.
#include "interpreter/Interpreter.h"

#include "autograd/OperatorTraits.h"

#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"
#include "clang/AST/RecursiveASTVisitor.h"

using namespace clang;

namespace torch_tidy::model {

using autograd::DefectKind;
using autograd::Outcome;
using autograd::Suspicion;

/// Note [Dropped results]
/// An operation out of place has no effect but its result. Where a statement drops the result, its
/// author took it for one that changes its argument: if the operator has an in-place sibling, or is
/// a function of the user's that computes a tensor from one that it was given and changes nothing.
/// What was asked for but did not happen is a defect where the argument's value gets to a loss, as
/// any suspicion (Note [Suspicions]), or where the argument is a gradient that waits for its step.
/// A module's methods are called for their own sake (to warm up, to time, to trace), and so is what
/// a try block holds or what prints.

/// x, for the statement `x.sub(m).div(s);`: where the chain of calls begins.
const Expr *Interpreter::droppedFrom(const Expr *E) const {
  const auto *Call = dyn_cast_or_null<CXXMemberCallExpr>(E);
  if (!Call || !Kinds.isTensor(E->getType()) || E->isGLValue())
    return nullptr;
  while (true) {
    const auto *Callee = dyn_cast<MemberExpr>(Call->getCallee()->IgnoreParens());
    if (!Callee)
      return nullptr;
    const Expr *Base = Callee->getBase()->IgnoreParenImpCasts();
    const auto *Next = dyn_cast<CXXMemberCallExpr>(withoutTemporaries(Base));
    if (!Next || !Next->isPRValue() || !Next->getMethodDecl() ||
        Kinds.kind(Next->getMethodDecl()->getParent()) != ClassKind::Tensor)
      return Base;
    Call = Next;
  }
}

namespace {

/// What a reader expects to change its argument.
bool hasInPlaceSibling(const facts::FactTable &Facts, const std::string &Name) {
  if (Name.empty() || Name.back() == '_')
    return false;
  for (const char *Overload : {"", ".Tensor", ".Scalar", ".value", ".src", ".int_Scalar", ".int_Tensor"})
    if (Facts.op(Name + "_" + Overload))
      return true;
  return Name == "softmax" || Name == "log_softmax" || Name == "normalize";
}

class Prints : public RecursiveASTVisitor<Prints> {
public:
  bool Found = false;
  bool VisitDeclRefExpr(DeclRefExpr *E) {
    llvm::StringRef Name =
        E->getDecl()->getDeclName().isIdentifier() ? E->getDecl()->getName() : "";
    Found |= Name == "cout" || Name == "cerr" || Name == "clog" || Name.contains("printf");
    return !Found;
  }
};

} // namespace

void Interpreter::noteDropped(const Call &C, CellId Result) {
  const Value R = get(Result);
  if (TryDepth > 0 || !C.E || C.E->isGLValue() || C.E->getBeginLoc().isMacroID() ||
      R.K != Value::Tensor || !R.T.T || !Kinds.isTensor(C.E->getType()))
    return;
  bool Method = C.Method && Kinds.kind(C.Method->getParent()) == ClassKind::Tensor;
  if (!Method && (C.Method || C.Operator != OO_None))
    return;
  CellId From = Method ? DroppedCell : CellId();
  if (!Method && !C.Written.empty() && C.Written[0] &&
      isa<DeclRefExpr, MemberExpr>(C.Written[0]->IgnoreParenImpCasts()))
    From = C.Arguments[0];
  if (!From || get(From).K != Value::Tensor || !get(From).T.T)
    return;
  auto &S = Torch.S;
  const TensorId Meant = get(From).T.T;
  const autograd::Tensor X = S.Tensors[Meant], Made = S.Tensors[R.T.T];
  const std::string Name = C.Name.str();
  if (X.Untracked || Made.Untracked || X.Memory == Made.Memory || Made.Integral ||
      Torch.Repaired.count(C.At.Number) || !hasInPlaceSibling(Facts, Name) ||
      autograd::traitsOf(Name).UsuallyCopies || autograd::traitsOf(Name).Reduces)
    return;
  Suspicion New;
  New.What.Kind = DefectKind::ResultDropped;
  New.What.Effect = Outcome::Wrong;
  New.What.Culprit = C.At;
  New.What.Operation = Name;
  New.What.Message = "'" + Name + "' is out of place and its result is dropped: nothing changes";
  New.What.Chain.push_back({X.Made, "the tensor is made here"});
  New.What.Chain.push_back({C.At, "the result is dropped here"});
  const TensorId Leaf = S.Storages[X.Memory].GradientOf;
  bool Update = X.LeafRequiresGrad && X.Through == autograd::Alias::None;
  bool OfGradient = false;
  for (CellId A : C.Arguments)
    for (const Operand &Y : tensorsIn(get(A)))
      OfGradient |= Y.T && S.Tensors[Y.T].OfGradient;
  if (Leaf && Torch.isTrained(Leaf)) {
    Torch.accuse(std::move(New)); // the step will use it as it is
  } else if (Update && OfGradient && S.Backwards) {
    New.What.Effect = Outcome::Stale;
    Torch.accuse(std::move(New));
  } else {
    Torch.suspect(Meant, std::move(New));
  }
}

//===--- functions of the user's -----------------------------------------------------------===//

struct Interpreter::DroppedCall {
  struct Given {
    TensorId T;
    uint32_t Mark;
  };
  std::vector<Given> Arguments;
  ProgramState Before;
};

/// Marks the tensors that a call whose result is dropped is given, to tell whether the result is
/// computed from them.
std::shared_ptr<Interpreter::DroppedCall> Interpreter::watchDropped(const Call &C) {
  if (TryDepth > 0 || !C.E || !C.E->isPRValue() || !Kinds.isTensor(C.E->getType()) ||
      C.E->getBeginLoc().isMacroID() ||
      (C.Method && Kinds.kind(C.Method->getParent()) == ClassKind::Module))
    return nullptr;
  const FunctionDecl *Body = nullptr;
  if (!C.Callee->getBody(Body))
    return nullptr;
  Prints P;
  P.TraverseStmt(Body->getBody());
  if (P.Found)
    return nullptr;
  auto Watched = std::make_shared<DroppedCall>();
  for (size_t I = 0; I < C.Arguments.size() && I < C.Written.size(); ++I) {
    const Value V = get(C.Arguments[I]);
    const Expr *E = C.Written[I] ? withoutTemporaries(C.Written[I]) : nullptr;
    if (const auto *Copy = dyn_cast_or_null<CXXConstructExpr>(E);
        Copy && Copy->getNumArgs() == 1)
      E = withoutTemporaries(Copy->getArg(0));
    if (V.K != Value::Tensor || !V.T.T || !E || !isa<DeclRefExpr, MemberExpr>(E) ||
        Torch.S.Tensors[V.T.T].Untracked)
      continue;
    Torch.suspect(V.T.T, {});
    Watched->Arguments.push_back({V.T.T, static_cast<uint32_t>(Torch.S.Suspected.size() - 1)});
  }
  if (Watched->Arguments.empty())
    return nullptr;
  Watched->Before = snapshot();
  return Watched;
}

void Interpreter::noteDropped(const DroppedCall &Watched, const Call &C, CellId Result) {
  auto &S = Torch.S;
  const Value R = get(Result);
  const ProgramState &Before = Watched.Before;
  bool Pure = S.Clock == Before.Torch.Clock && S.GradMode == Before.Torch.GradMode &&
              S.TrainedElsewhere == Before.Torch.TrainedElsewhere &&
              P.InEval == Before.InEval && S.Retained.size() == Before.Torch.Retained.size();
  decltype(P.Cells)::forEachPossiblyDifferent(P.Cells, Before.Cells, Before.Cells.size(), [&](CellId I) {
    const Value &Now = P.Cells[I], &Then = Before.Cells[I];
    Pure &= Now.K == Then.K && Now.T.T == Then.T.T && Now.O == Then.O && Now.I == Then.I &&
            Now.D == Then.D && Now.Symbol == Then.Symbol && Now.C == Then.C;
  });
  decltype(P.Objects)::forEachPossiblyDifferent(
      P.Objects, Before.Objects, Before.Objects.size(), [&](ObjectId I) {
        Pure &= P.Objects[I].Elements == Before.Objects[I].Elements &&
                P.Objects[I].Fields.size() == Before.Objects[I].Fields.size();
      });
  decltype(S.Storages)::forEachPossiblyDifferent(
      S.Storages, Before.Torch.Storages, Before.Torch.Storages.size(), [&](autograd::StorageId I) {
        Pure &= S.Storages[I].Writes.size() == Before.Torch.Storages[I].Writes.size();
      });
  bool Told = false;
  for (const auto &[T, Mark] : Watched.Arguments) {
    bool Computed = R.K == Value::Tensor && R.T.T && !S.Tensors[R.T.T].Untracked &&
                    !(S.Tensors[R.T.T].Memory == S.Tensors[T].Memory) &&
                    Torch.carries(R.T.T, Mark);
    Torch.withdraw(T, Mark);
    if (!Pure || !Computed || Told || Torch.Repaired.count(C.At.Number))
      continue;
    Told = true;
    Suspicion New;
    New.What.Kind = DefectKind::ResultDropped;
    New.What.Effect = Outcome::Wrong;
    New.What.Culprit = C.At;
    New.What.Message = "'" + C.Name.str() + "' returns a new tensor, which is dropped; '" +
                       Torch.nameOf(T) + "' is as it was";
    New.What.Chain.push_back({S.Tensors[R.T.T].Made, "the result is computed here"});
    New.What.Chain.push_back({C.At, "it is dropped here"});
    Torch.suspect(T, std::move(New));
  }
}

} // namespace torch_tidy::model
