#include "interpreter/joining/Liveness.h"

#include "clang/AST/DeclCXX.h"
#include "clang/AST/Expr.h"
#include "clang/AST/StmtCXX.h"

using namespace clang;

namespace torch_tidy::model {

Liveness::Liveness(const FunctionDecl *F, const ReadsValue &R, const Replaces &W)
    : IsValueRead(R), IsReplacement(W) {
  for (const ParmVarDecl *P : F->parameters())
    if (!P->getType()->isReferenceType())
      number(P);
  collect(F->getBody());
  escape(F->getBody());
  // Numbers are dense again once the escaped ones are out.
  unsigned N = 0;
  for (auto &[V, Number] : Numbers)
    Number = N++;
  Targets T{none(), none(), none()};
  before(F->getBody(), none(), T);
}

void Liveness::number(const ValueDecl *V) { Numbers.insert({V, 0}); }

void Liveness::collect(const Stmt *S) {
  if (!S || isa<LambdaExpr>(S))
    return;
  if (const auto *D = dyn_cast<DeclStmt>(S))
    for (const Decl *X : D->decls())
      if (const auto *V = dyn_cast<VarDecl>(X);
          V && V->isLocalVarDecl() && !V->isStaticLocal() && !V->getType()->isReferenceType() &&
          !V->getType()->isArrayType() && !isa<DecompositionDecl>(V))
        number(V);
  for (const Stmt *X : S->children())
    collect(X);
}

/// Variables that have another name are read under it, nobody sees where.
void Liveness::escape(const Stmt *S) {
  if (!S)
    return;
  auto All = [&](const Stmt *X, auto &&Recurse) -> void {
    if (!X)
      return;
    if (const auto *R = dyn_cast<DeclRefExpr>(X))
      Numbers.erase(R->getDecl());
    for (const Stmt *Y : X->children())
      Recurse(Y, Recurse);
  };
  if (const auto *U = dyn_cast<UnaryOperator>(S); U && U->getOpcode() == UO_AddrOf)
    All(U->getSubExpr(), All);
  if (const auto *L = dyn_cast<LambdaExpr>(S)) {
    for (const LambdaCapture &C : L->captures())
      if (C.capturesVariable() && C.getCaptureKind() == LCK_ByRef)
        Numbers.erase(C.getCapturedVar());
  }
  if (const auto *D = dyn_cast<DeclStmt>(S))
    for (const Decl *X : D->decls())
      if (const auto *V = dyn_cast<VarDecl>(X);
          V && V->getInit() && (V->getType()->isReferenceType() || isa<DecompositionDecl>(V)))
        All(V->getInit(), All);
  if (isa<GotoStmt, IndirectGotoStmt>(S))
    Numbers.clear();
  if (isa<LambdaExpr>(S))
    return; // its body is a function of its own
  for (const Stmt *X : S->children())
    escape(X);
}

Liveness::Use Liveness::use(const Sets &Where, const Stmt *S, const ValueDecl *V) const {
  auto N = Numbers.find(V);
  auto It = Where.find(S);
  if (N == Numbers.end() || It == Where.end())
    return Use::Any;
  return It->second.test(2 * N->second + 1) ? Use::Any
         : It->second.test(2 * N->second)   ? Use::Value
                                            : Use::None;
}

void Liveness::addUses(const Stmt *S, Set &To) const {
  if (!S)
    return;
  if (const auto *R = dyn_cast<DeclRefExpr>(S))
    if (auto It = Numbers.find(R->getDecl()); It != Numbers.end())
      To.set(2 * It->second + 1);
  if (const auto *C = dyn_cast<CXXMemberCallExpr>(S))
    if (const auto *R =
            dyn_cast<DeclRefExpr>(C->getImplicitObjectArgument()->IgnoreParenImpCasts());
        R && C->getMethodDecl() && IsValueRead(C->getMethodDecl())) {
      if (auto It = Numbers.find(R->getDecl()); It != Numbers.end())
        To.set(2 * It->second);
      for (const Expr *A : C->arguments())
        addUses(A, To);
      return;
    }
  for (const Stmt *X : S->children())
    addUses(X, To);
}

void Liveness::kill(const ValueDecl *V, Set &From) const {
  if (auto It = Numbers.find(V); It != Numbers.end())
    From.reset(2 * It->second, 2 * It->second + 2);
}

Liveness::Set Liveness::beforeExpression(const Expr *E, Set Out) const {
  const Expr *X = E->IgnoreUnlessSpelledInSource();
  const Expr *Left = nullptr, *Right = nullptr;
  if (const auto *B = dyn_cast<BinaryOperator>(X); B && B->getOpcode() == BO_Assign) {
    Left = B->getLHS();
    Right = B->getRHS();
  } else if (const auto *C = dyn_cast<CXXOperatorCallExpr>(X);
             C && C->getOperator() == OO_Equal && C->getNumArgs() == 2 && C->getDirectCallee() &&
             IsReplacement(C->getDirectCallee())) {
    Left = C->getArg(0);
    Right = C->getArg(1);
  }
  if (Left) {
    Left = Left->IgnoreUnlessSpelledInSource();
    if (const auto *R = dyn_cast<DeclRefExpr>(Left)) {
      kill(R->getDecl(), Out);
      addUses(Right, Out);
      return Out;
    }
    // std::tie(a, b) = f()
    if (const auto *C = dyn_cast<CallExpr>(Left);
        C && C->getDirectCallee() && C->getDirectCallee()->isInStdNamespace() &&
        C->getDirectCallee()->getDeclName().isIdentifier() &&
        C->getDirectCallee()->getName() == "tie") {
      for (const Expr *A : C->arguments())
        if (const auto *R = dyn_cast<DeclRefExpr>(A->IgnoreParenImpCasts()))
          kill(R->getDecl(), Out);
        else
          addUses(A, Out);
      addUses(Right, Out);
      return Out;
    }
  }
  addUses(E, Out);
  return Out;
}

Liveness::Set Liveness::beforeLoop(const Expr *Condition, const Stmt *Body, const Expr *Increment,
                                   Set Out, const Targets &T) {
  Set Head = Out;
  for (int I = 0; I < 3; ++I) { // a set that only grows, through one back edge
    addUses(Condition, Head);
    Set Round = Head;
    addUses(Increment, Round);
    Targets Inner{Out, Round, T.Catch};
    Set In = before(Body, Round, Inner);
    In |= Head;
    if (In == Head)
      break;
    Head = In;
  }
  return Head;
}

/// What is live before S where Out is live behind it. Notes both for every statement in S.
Liveness::Set Liveness::before(const Stmt *S, Set Out, const Targets &T) {
  if (!S)
    return Out;
  Set Behind = Out;
  Behind |= T.Break;
  Behind |= T.Continue;
  Behind |= T.Catch;
  auto Note = [&](Sets &To, const Set &What) {
    auto [It, New] = To.insert({S, What});
    if (!New)
      It->second |= What;
  };
  Note(After, Behind);
  Set Inside = Behind;
  addUses(S, Inside);
  Note(During, Inside);
  Set In = [&]() -> Set {
    switch (S->getStmtClass()) {
    case Stmt::CompoundStmtClass: {
      const auto *C = cast<CompoundStmt>(S);
      for (auto It = C->body_rbegin(); It != C->body_rend(); ++It)
        Out = before(*It, std::move(Out), T);
      return Out;
    }
    case Stmt::DeclStmtClass: {
      std::vector<const Decl *> Decls(cast<DeclStmt>(S)->decl_begin(),
                                      cast<DeclStmt>(S)->decl_end());
      for (auto It = Decls.rbegin(); It != Decls.rend(); ++It)
        if (const auto *V = dyn_cast<VarDecl>(*It)) {
          kill(V, Out);
          addUses(V->getInit(), Out);
        }
      return Out;
    }
    case Stmt::ReturnStmtClass:
      Out = T.Catch;
      addUses(S, Out);
      return Out;
    case Stmt::BreakStmtClass:
      return T.Break;
    case Stmt::ContinueStmtClass:
      return T.Continue;
    case Stmt::IfStmtClass: {
      const auto *I = cast<IfStmt>(S);
      Set Then = before(I->getThen(), Out, T);
      Then |= before(I->getElse(), Out, T);
      addUses(I->getInit(), Then);
      addUses(I->getConditionVariableDeclStmt(), Then);
      addUses(I->getCond(), Then);
      return Then;
    }
    case Stmt::ForStmtClass: {
      const auto *F = cast<ForStmt>(S);
      Set Head = beforeLoop(F->getCond(), F->getBody(), F->getInc(), Out, T);
      return before(F->getInit(), Head, T);
    }
    case Stmt::WhileStmtClass:
      return beforeLoop(cast<WhileStmt>(S)->getCond(), cast<WhileStmt>(S)->getBody(), nullptr, Out,
                        T);
    case Stmt::DoStmtClass:
      return beforeLoop(cast<DoStmt>(S)->getCond(), cast<DoStmt>(S)->getBody(), nullptr, Out, T);
    case Stmt::CXXForRangeStmtClass: {
      const auto *F = cast<CXXForRangeStmt>(S);
      addUses(F->getRangeInit(), Out); // the loop variable may name its elements
      Set Head = beforeLoop(nullptr, F->getBody(), nullptr, Out, T);
      addUses(F->getInit(), Head);
      return Head;
    }
    case Stmt::SwitchStmtClass: {
      Targets Inner{Out, T.Continue, T.Catch};
      before(cast<SwitchStmt>(S)->getBody(), Out, Inner);
      return Inside;
    }
    case Stmt::CaseStmtClass:
    case Stmt::DefaultStmtClass:
      return before(cast<SwitchCase>(S)->getSubStmt(), Out, T);
    case Stmt::AttributedStmtClass:
      return before(cast<AttributedStmt>(S)->getSubStmt(), Out, T);
    case Stmt::CXXTryStmtClass: {
      const auto *X = cast<CXXTryStmt>(S);
      Targets Inner = T;
      for (unsigned I = 0; I < X->getNumHandlers(); ++I)
        Inner.Catch |= before(X->getHandler(I)->getHandlerBlock(), Out, T);
      Set In = before(X->getTryBlock(), Out, Inner);
      In |= Inner.Catch;
      return In;
    }
    default:
      break;
    }
    if (const auto *E = dyn_cast<Expr>(S))
      return beforeExpression(E, Out);
    return Inside;
  }();
  In |= T.Catch;
  return In;
}

} // namespace torch_tidy::model
