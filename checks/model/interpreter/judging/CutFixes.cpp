// Repairs of torch-graph-cut (the tensor itself, where the expression stays valid with it) and of
// torch-lost-write (index_put_()).
#include "interpreter/judging/Diagnosis.h"

#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"
#include "clang/AST/ParentMapContext.h"
#include "clang/Basic/SourceManager.h"
#include "clang/Lex/Lexer.h"

using namespace clang;

namespace torch_tidy::model {

namespace {

const Expr *parentOf(const Expr *E, ASTContext &Context) {
  auto Parents = Context.getParents(*E);
  return Parents.size() == 1 ? Parents[0].get<Expr>() : nullptr;
}

bool isNamed(const Expr *E, llvm::StringRef Name) {
  const auto *C = dyn_cast<CallExpr>(E);
  const FunctionDecl *F = C ? C->getDirectCallee() : nullptr;
  return F && F->getDeclName().isIdentifier() && F->getName() == Name;
}

/// What a number read by item() may stand in, so that the tensor can stand there too: products and
/// sums with other numbers that end as an operand of a tensor operator, or torch::tensor(number).
/// Returns the expression to replace by the tensor.
const Expr *replaceable(const Expr *Item, ASTContext &Context) {
  const Expr *E = Item;
  bool Arithmetic = false, Container = false;
  for (int Depth = 0; Depth < 16; ++Depth) {
    const Expr *Parent = parentOf(E, Context);
    if (!Parent)
      return nullptr;
    if (const auto *B = dyn_cast<BinaryOperator>(Parent)) {
      if (!B->isAdditiveOp() && !B->isMultiplicativeOp())
        return nullptr;
      Arithmetic = true;
    } else if (const auto *O = dyn_cast<CXXOperatorCallExpr>(Parent)) {
      switch (O->getOperator()) {
      case OO_Plus:
      case OO_Minus:
      case OO_Star:
      case OO_Slash:
        return Item;
      default:
        return nullptr;
      }
    } else if (const auto *C = dyn_cast<CXXConstructExpr>(Parent)) {
      Container |= C->getConstructor()->getParent()->getName() == "TensorDataContainer";
    } else if (isNamed(Parent, "tensor") && Container && !Arithmetic &&
               !isa<CXXMemberCallExpr>(Parent)) {
      return Parent;
    } else if (!isa<ImplicitCastExpr, ParenExpr, MaterializeTemporaryExpr, CXXBindTemporaryExpr,
                    ExprWithCleanups>(Parent)) {
      return nullptr;
    }
    E = Parent;
  }
  return nullptr;
}

} // namespace

std::vector<FixItHint> Diagnosis::fixesForCut(const autograd::Defect &D) const {
  const SourceManager &SM = Context.getSourceManager();
  const LangOptions &Lang = Context.getLangOpts();
  const auto *M = dyn_cast_or_null<CXXMemberCallExpr>(Program.statement(D.Culprit));
  if (!M || !M->getMethodDecl() || M->getNumArgs() != 0)
    return {};
  const Expr *Object = M->getImplicitObjectArgument()->IgnoreParenImpCasts();
  if (const auto *Made = dyn_cast<MaterializeTemporaryExpr>(Object))
    Object = Made->getSubExpr()->IgnoreImplicit();
  auto InMacro = [](SourceRange R) { return R.getBegin().isMacroID() || R.getEnd().isMacroID(); };
  const Expr *Whole = M;
  if (isNamed(M, "item"))
    Whole = replaceable(M, Context);
  else if (!isNamed(M, "detach") && !isNamed(M, "data"))
    return {};
  if (!Whole || InMacro(Whole->getSourceRange()))
    return {};
  std::string Tensor = Lexer::getSourceText(
                           CharSourceRange::getTokenRange(
                               M->getImplicitObjectArgument()->IgnoreImpCasts()->getSourceRange()),
                           SM, Lang)
                           .str();
  if (Tensor.empty())
    return {};
  return {FixItHint::CreateReplacement(CharSourceRange::getTokenRange(Whole->getSourceRange()),
                                       Tensor)};
}

namespace {

/// The variable that E names, where binding it to another tensor changes nobody else's: a reference, a
/// member or an element may be the tensor that others hold.
const VarDecl *ownVariable(const Expr *E) {
  const auto *R = dyn_cast<DeclRefExpr>(E->IgnoreParenImpCasts());
  const auto *V = R ? dyn_cast<VarDecl>(R->getDecl()) : nullptr;
  if (!V || V->getType()->isReferenceType() || V->getType().isConstQualified() ||
      R->refersToEnclosingVariableOrCapture())
    return nullptr;
  return V;
}

} // namespace

/// x.index({mask}) = v, x.index({mask}) += v -> x.index_put_({mask}, ...).
std::vector<FixItHint> Diagnosis::fixesForLostWrite(const autograd::Defect &D) const {
  const SourceManager &SM = Context.getSourceManager();
  const auto *O = dyn_cast_or_null<CXXOperatorCallExpr>(Program.statement(D.Culprit));
  if (!O || O->getNumArgs() != 2 || (D.OfLeaf && !D.Repairable) || O->getBeginLoc().isMacroID() ||
      O->getEndLoc().isMacroID())
    return {};
  auto Text = [&](SourceRange R) {
    return Lexer::getSourceText(CharSourceRange::getTokenRange(R), SM, Context.getLangOpts()).str();
  };
  const char *Binary = O->getOperator() == OO_PlusEqual    ? " + "
                       : O->getOperator() == OO_MinusEqual ? " - "
                       : O->getOperator() == OO_StarEqual  ? " * "
                       : O->getOperator() == OO_SlashEqual ? " / "
                                                           : nullptr;
  if (!Binary && O->getOperator() != OO_Equal)
    return {};
  const Expr *Left = O->getArg(0)->IgnoreParens()->IgnoreImplicit()->IgnoreParens();
  std::string Object, Index, Read = Text(Left->getSourceRange());
  if (const auto *M = dyn_cast<CXXMemberCallExpr>(Left); M && isNamed(M, "index")) {
    const Expr *Called = M->getImplicitObjectArgument();
    Object = Text(Called->getSourceRange());
    // In place, a tensor that requires grad may refuse, or break what saved it: a copy does not.
    if (D.OfLeaf && !ownVariable(Called))
      return {};
    if (D.OfLeaf)
      Object = "(" + Object + " = " + Object + ".clone())";
    Index = M->getNumArgs() == 1 ? Text(M->getArg(0)->getSourceRange()) : "";
  }
  std::string Value = Text(O->getArg(1)->getSourceRange());
  if (Object.empty() || Index.empty() || Value.empty() || Index[0] != '{')
    return {};
  const Expr *Right = O->getArg(1)->IgnoreParenImpCasts();
  if (Binary && !isa<DeclRefExpr, MemberExpr, CXXMemberCallExpr, IntegerLiteral, FloatingLiteral>(Right))
    Value = "(" + Value + ")";
  std::string New = Object + ".index_put_(" + Index + ", " + (Binary ? Read + Binary : "") + Value + ")";
  return {FixItHint::CreateReplacement(CharSourceRange::getTokenRange(O->getSourceRange()), New)};
}

/// x.clamp(0, 1); -> x = x.clamp(0, 1);
std::vector<FixItHint> Diagnosis::fixesForDropped(const autograd::Defect &D) const {
  const auto *M = dyn_cast_or_null<CXXMemberCallExpr>(Program.statement(D.Culprit));
  if (!M || M->getBeginLoc().isMacroID() || M->getEndLoc().isMacroID() || D.Effect != autograd::Outcome::Wrong)
    return {};
  const VarDecl *V = ownVariable(M->getImplicitObjectArgument());
  if (!V)
    return {};
  return {FixItHint::CreateInsertion(M->getBeginLoc(), V->getNameAsString() + " = ")};
}

} // namespace torch_tidy::model
