#include "interpreter/judging/Diagnosis.h"

#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"
#include "clang/Basic/SourceManager.h"
#include "clang/Lex/Lexer.h"

using namespace clang;

namespace torch_tidy::model {

using autograd::Alias;
using autograd::Defect;
using autograd::DefectKind;
using autograd::WriteKind;

llvm::StringRef checkFor(const Defect &D) {
  switch (D.Kind) {
  case DefectKind::StepBetween:
  case DefectKind::GradientAccumulates:
  case DefectKind::GradientDiscarded:
  case DefectKind::StepTooEarly:
  case DefectKind::NeverStepped:
  case DefectKind::LeftInEval:
  case DefectKind::ClipsNothing:
  case DefectKind::ClipsTooEarly:
    return "torch-training-step";
  case DefectKind::NothingToDo:
    // Without a cut the value never had a history: somebody else's parameters, or none.
    if (D.Chain.size() < 2)
      return "";
    if (!D.InPlace)
      return "torch-graph-cut";
    break;
  case DefectKind::TermLost:
  case DefectKind::TermUnused:
  case DefectKind::FlagRefused:
    return "torch-graph-cut";
  case DefectKind::InferenceTensor:
    if (!D.InPlace)
      return "torch-graph-cut";
    break;
  case DefectKind::WriteLost:
  case DefectKind::ResultDropped:
    return "torch-lost-write";
  case DefectKind::BufferReused:
    return "torch-buffer-reuse";
  case DefectKind::NoGradKept:
    return "torch-nonleaf-grad";
  case DefectKind::DependenceCut:
  case DefectKind::DependenceZeroed:
    if (!D.InPlace)
      return "torch-graph-cut";
    break;
  case DefectKind::Unregistered:
  case DefectKind::Rebound:
  case DefectKind::ComputedOnce:
  case DefectKind::OtherOptimized:
  case DefectKind::NonLeafOptimized:
  case DefectKind::LostLeaf:
  case DefectKind::RegisteredTwice:
  case DefectKind::SharedSnapshot:
    return "torch-parameter-identity";
  case DefectKind::ClipsScaled:
  case DefectKind::SteppedScaled:
  case DefectKind::UnscaledTwice:
  case DefectKind::UnscaledByOther:
  case DefectKind::ScalerMisused:
  case DefectKind::CastOutdated:
    return "torch-mixed-precision";
  case DefectKind::BackwardTwice:
    return "torch-backward-twice";
  case DefectKind::DetachMissing:
    return "torch-missing-detach";
  default:
    break;
  }
  if (!D.InPlace)
    return {}; // cuts: families of their own
  switch (D.Through) {
  case Alias::Detach:
    return "torch-detach-inplace-write";
  case Alias::Data:
  case Alias::RawPointer:
    return "torch-data-mutation";
  case Alias::None:
    break;
  }
  return D.Writer == WriteKind::Activation ? "torch-inplace-activation" : "torch-inplace-autograd";
}

std::optional<Finding> Diagnosis::describe(const Defect &D, Certainty How) const {
  const SourceManager &SM = Context.getSourceManager();
  SourceLocation Loc = Program.location(D.Culprit);
  if (Loc.isInvalid())
    return std::nullopt;
  Finding F;
  F.Check = checkFor(D).str();
  if (F.Check.empty())
    return std::nullopt;
  F.Predicted = D.Effect;
  F.How = How;
  F.Loc = SM.getExpansionLoc(Loc);
  F.Message = D.Message;
  for (const autograd::ChainEvent &E : D.Chain)
    if (SourceLocation L = Program.location(E.At); L.isValid())
      F.Chain.push_back({SM.getExpansionLoc(L), E.Message});
  if (!Loc.isMacroID() && !Program.insideTemplate(D.Culprit))
    F.Fixes = fixesFor(D);
  return F;
}

//===--- fixes -----------------------------------------------------------------------------===//

namespace {

struct Text {
  const SourceManager &SM;
  const LangOptions &Lang;

  std::string of(SourceRange R) const {
    return Lexer::getSourceText(CharSourceRange::getTokenRange(R), SM, Lang).str();
  }
  SourceLocation after(SourceLocation Token) const {
    return Lexer::getLocForEndOfToken(Token, 0, SM, Lang);
  }
  std::optional<Token> next(SourceLocation L) const { return Lexer::findNextToken(L, SM, Lang); }
  std::string spelling(const Token &T) const { return Lexer::getSpelling(T, SM, Lang); }
  bool inMacro(SourceRange R) const { return R.getBegin().isMacroID() || R.getEnd().isMacroID(); }
};

/// A variable, member or element that can be assigned to without evaluating anything twice.
bool isPlain(const Expr *E) {
  E = E->IgnoreParenImpCasts();
  if (const auto *D = dyn_cast<DeclRefExpr>(E)) {
    const auto *V = dyn_cast<VarDecl>(D->getDecl());
    return V && !V->getType().getNonReferenceType().isConstQualified();
  }
  if (const auto *M = dyn_cast<MemberExpr>(E))
    return isa<FieldDecl>(M->getMemberDecl()) && !M->getType().isConstQualified() &&
           (isa<CXXThisExpr>(M->getBase()->IgnoreParenImpCasts()) || isPlain(M->getBase()));
  if (const auto *C = dyn_cast<CXXOperatorCallExpr>(E); C && C->getOperator() == OO_Subscript) {
    // An element of a container, not of a tensor: those are views.
    const Expr *Index = C->getArg(1)->IgnoreParenImpCasts();
    const CXXRecordDecl *R = C->getArg(0)->getType()->getAsCXXRecordDecl();
    return R && R->getName() != "Tensor" && isPlain(C->getArg(0)) &&
           (isa<IntegerLiteral>(Index) || isPlain(Index));
  }
  return false;
}

/// A parameter of a function that gives nothing back: whoever called goes on with his own tensor, and what
/// is made of it here is for other ends.
bool isLentForGood(const Expr *E) {
  const auto *Ref = dyn_cast<DeclRefExpr>(E->IgnoreParenImpCasts());
  const auto *Parameter = Ref ? dyn_cast<ParmVarDecl>(Ref->getDecl()) : nullptr;
  const auto *F = Parameter ? dyn_cast<FunctionDecl>(Parameter->getDeclContext()) : nullptr;
  return F && F->getReturnType()->isVoidType();
}

/// x, for x.data(), x.detach() and chains of such.
const Expr *behindAlias(const Expr *E, bool &Aliased) {
  while (true) {
    E = withoutTemporaries(E);
    const auto *C = dyn_cast<CXXMemberCallExpr>(E);
    if (C && C->getNumArgs() == 0 && C->getMethodDecl() &&
        C->getMethodDecl()->getDeclName().isIdentifier() &&
        (C->getMethodDecl()->getName() == "data" || C->getMethodDecl()->getName() == "detach" ||
         C->getMethodDecl()->getName() == "tensor_data" ||
         C->getMethodDecl()->getName() == "variable_data")) {
      Aliased = true;
      E = C->getImplicitObjectArgument()->IgnoreParenImpCasts();
    } else
      return E;
  }
}

const char *binarySpelling(OverloadedOperatorKind K) {
  switch (K) {
  case OO_PlusEqual:
    return " + ";
  case OO_MinusEqual:
    return " - ";
  case OO_StarEqual:
    return " * ";
  case OO_SlashEqual:
    return " / ";
  default:
    return nullptr;
  }
}

/// Can it stand on the right of any operator as it is written?
bool bindsTighter(const Expr *E) {
  E = E->IgnoreUnlessSpelledInSource(); // `h *= 2` makes a Scalar of 2
  if (isa<ParenExpr>(E))
    return true;
  if (const auto *O = dyn_cast<CXXOperatorCallExpr>(E)) // `h *= a + b` calls a function, too
    return O->getOperator() == OO_Subscript || O->getOperator() == OO_Call;
  return isa<DeclRefExpr>(E) || isa<MemberExpr>(E) || isa<CallExpr>(E) || isa<IntegerLiteral>(E) ||
         isa<FloatingLiteral>(E) || isa<ArraySubscriptExpr>(E);
}

/// In-place methods without an out-of-place sibling of the same arguments.
bool hasOutOfPlaceForm(llvm::StringRef Name) {
  static const llvm::StringRef Without[] = {
      "zero_",   "fill_",   "copy_",      "normal_",      "uniform_",     "random_",
      "set_",    "detach_", "resize_",    "bernoulli_",   "exponential_", "requires_grad_",
      "cauchy_", "geometric_", "log_normal_", "index_put_", "set_requires_grad"};
  return Name.ends_with("_") && !Name.ends_with("__") && !llvm::is_contained(Without, Name);
}

} // namespace

/// A member is registered where it gets its value; a parameter keeps its tensor and gets new data.
std::vector<FixItHint> Diagnosis::identityFix(const Defect &D) const {
  Text T{Context.getSourceManager(), Context.getLangOpts()};
  const auto *E = dyn_cast_or_null<Expr>(Program.statement(D.Culprit));
  if (!E || T.inMacro(E->getSourceRange()))
    return {};
  auto Wrap = [&](const Expr *X, const std::string &Before, const std::string &After) {
    X = X->IgnoreUnlessSpelledInSource();
    return std::vector<FixItHint>{FixItHint::CreateInsertion(X->getBeginLoc(), Before),
                                  FixItHint::CreateInsertion(T.after(X->getEndLoc()), After)};
  };
  if (const auto *O = dyn_cast<CXXOperatorCallExpr>(E);
      O && O->getOperator() == OO_Equal && O->getNumArgs() == 2) {
    const Expr *Left = O->getArg(0)->IgnoreParenImpCasts();
    if (D.Kind == DefectKind::Rebound) {
      if (D.Effect != autograd::Outcome::Undefined || !isPlain(Left) ||
          !Program.isDiscarded(D.Culprit))
        return {};
      const Expr *Right = O->getArg(1)->IgnoreUnlessSpelledInSource();
      return {FixItHint::CreateReplacement(
          CharSourceRange::getTokenRange(E->getSourceRange()),
          T.of(Left->getSourceRange()) + ".set_data(" + T.of(Right->getSourceRange()) + ")")};
    }
    const auto *M = dyn_cast<MemberExpr>(Left);
    if (D.Operation.empty() || !M || !isPlain(M))
      return {};
    std::string Base;
    if (const Expr *B = M->getBase(); !B->isImplicitCXXThis())
      Base = T.of(B->getSourceRange()) + (M->isArrow() ? "->" : ".");
    return Wrap(O->getArg(1),
                Base + D.Operation + "(\"" + M->getMemberDecl()->getNameAsString() + "\", ", ")");
  }
  // hidden.push_back(torch::nn::Linear(3, 3)) in a loop: a name for each element.
  if (const auto *C = dyn_cast<CXXMemberCallExpr>(E);
      C && C->getNumArgs() == 1 && C->getMethodDecl() && D.Operation == "register_module" &&
      C->getMethodDecl()->getDeclName().isIdentifier() &&
      C->getMethodDecl()->getName() == "push_back") {
    const auto *M = dyn_cast<MemberExpr>(C->getImplicitObjectArgument()->IgnoreParenImpCasts());
    if (!M || !M->getBase()->isImplicitCXXThis())
      return {};
    const std::string Name = M->getMemberDecl()->getNameAsString();
    return Wrap(C->getArg(0),
                "register_module(\"" + Name + "\" + std::to_string(" + Name + ".size()), ", ")");
  }
  return {};
}

/// A value that is kept for the next round is kept detached, unless something of its own round reads
/// it from there; two losses of one forward pass need the graph retained.
std::vector<FixItHint> Diagnosis::fixGraph(const Defect &D) const {
  const SourceManager &SM = Context.getSourceManager();
  Text T{SM, Context.getLangOpts()};
  const auto *E = dyn_cast_or_null<Expr>(Program.statement(D.Culprit));
  if (!D.Repairable || !E || T.inMacro(E->getSourceRange()))
    return {};
  if (D.Operation == "retain") {
    const auto *M = dyn_cast<CXXMemberCallExpr>(E);
    if (!M || M->getNumArgs() == 0 || !isa<CXXDefaultArgExpr>(M->getArg(0)))
      return {};
    return {FixItHint::CreateInsertion(M->getRParenLoc(), "{}, /*retain_graph=*/true")};
  }
  const Expr *Kept = nullptr;
  if (const auto *O = dyn_cast<CXXOperatorCallExpr>(E); O && O->getOperator() == OO_Equal)
    Kept = O->getArg(1);
  else if (const auto *M = dyn_cast<CXXMemberCallExpr>(E); M && M->getNumArgs() == 1)
    Kept = M->getArg(0);
  if (!Kept)
    return {};
  Kept = Kept->IgnoreUnlessSpelledInSource();
  const CXXRecordDecl *R = Kept->getType()->getAsCXXRecordDecl();
  if (!R || R->getName() != "Tensor")
    return {};
  bool Postfix = isa<DeclRefExpr, MemberExpr, CXXMemberCallExpr>(Kept) ||
                 (isa<CallExpr>(Kept) && !isa<CXXOperatorCallExpr>(Kept));
  SourceLocation End = T.after(Kept->getEndLoc());
  if (Postfix)
    return {FixItHint::CreateInsertion(End, ".detach()")};
  return {FixItHint::CreateInsertion(Kept->getBeginLoc(), "("),
          FixItHint::CreateInsertion(End, ").detach()")};
}

std::vector<FixItHint> Diagnosis::fixesFor(const Defect &D) const {
  const SourceManager &SM = Context.getSourceManager();
  Text T{SM, Context.getLangOpts()};
  SourceLocation Loc = Program.location(D.Culprit);
  if (checkFor(D) == "torch-parameter-identity")
    return D.Kind == DefectKind::Unregistered || D.Kind == DefectKind::Rebound
               ? identityFix(D)
               : std::vector<FixItHint>();

  if (checkFor(D) == "torch-graph-cut")
    return fixesForCut(D);
  if (D.Kind == DefectKind::WriteLost)
    return fixesForLostWrite(D);
  if (D.Kind == DefectKind::ResultDropped)
    return fixesForDropped(D);
  if (D.Kind == DefectKind::BufferReused) {
    const auto *Made = dyn_cast_or_null<CallExpr>(Program.statement(D.Culprit));
    if (!Made || T.inMacro(Made->getSourceRange()))
      return {};
    return {FixItHint::CreateInsertion(T.after(Made->getEndLoc()), ".clone()")};
  }
  if (D.Kind == DefectKind::NoGradKept)
    return {}; // where to call retain_grad(), a line alone does not say

  if (D.Kind == DefectKind::DetachMissing)
    return {};
  if (D.Kind == DefectKind::BackwardTwice)
    return fixGraph(D);
  if (checkFor(D) == "torch-mixed-precision")
    return {};
  // inplace(true) -> inplace(false); ReLU(true) -> ReLU(false)
  if (checkFor(D) == "torch-inplace-activation" || !Program.statement(D.Culprit)) {
    Token Tok;
    if (Lexer::getRawToken(Loc, Tok, SM, Context.getLangOpts(), true))
      return {};
    if (T.spelling(Tok) == "true")
      return {FixItHint::CreateReplacement(CharSourceRange::getTokenRange(Loc, Loc), "false")};
    auto Open = T.next(Loc);
    if (!Open || T.spelling(*Open) != "(")
      return {};
    auto Value = T.next(Open->getLocation());
    if (Value && T.spelling(*Value) == "true")
      return {FixItHint::CreateReplacement(
          CharSourceRange::getTokenRange(Value->getLocation(), Value->getLocation()), "false")};
    return {};
  }

  const auto *E = dyn_cast_or_null<Expr>(Program.statement(D.Culprit));
  if (!E || T.inMacro(E->getSourceRange()))
    return {};
  bool Statement = Program.isDiscarded(D.Culprit);
  auto EndOfStatement = [&]() -> SourceLocation {
    auto Semi = T.next(E->getEndLoc());
    return Semi && T.spelling(*Semi) == ";" ? Semi->getLocation() : SourceLocation();
  };
  auto Replace = [&](std::string With) {
    return std::vector<FixItHint>{FixItHint::CreateReplacement(
        CharSourceRange::getTokenRange(E->getSourceRange()), std::move(With))};
  };

  // Which order the author meant, or which value, a tool cannot know.
  if (checkFor(D) == "torch-training-step" || checkFor(D) == "torch-mixed-precision" ||
      D.Kind == DefectKind::DependenceZeroed)
    return {};
  // `w = w.clamp(...)` on a parameter would leave the optimizer with the old one.
  if (D.OfLeaf && D.Kind != DefectKind::LeafWritten)
    return {};
  bool ViewOfLeaf = D.Kind == DefectKind::LeafWritten && llvm::StringRef(D.Message).contains("a view of");
  if (D.Kind == DefectKind::LeafWritten && !ViewOfLeaf) {
    SourceLocation Semi = EndOfStatement();
    if (!Statement || Semi.isInvalid())
      return {};
    return {FixItHint::CreateInsertion(E->getBeginLoc(), "{ torch::NoGradGuard no_grad; "),
            FixItHint::CreateInsertion(T.after(Semi), " }")};
  }

  if (D.Operation == "detach_()" || D.Operation == "detach_") {
    const auto *M = dyn_cast<CXXMemberCallExpr>(E);
    if (!M)
      return {};
    SourceLocation Semi = EndOfStatement();
    if (Statement && Semi.isValid())
      return {FixItHint::CreateRemoval(CharSourceRange::getTokenRange(E->getBeginLoc(), Semi))};
    std::string Object = T.of(M->getImplicitObjectArgument()->getSourceRange());
    return Replace(isLentForGood(M->getImplicitObjectArgument()) ? Object + ".detach()" : Object);
  }

  // Writes through a named alias: the alias becomes a copy.
  bool Aliased = false;
  const Expr *Object = nullptr;
  llvm::StringRef Method;
  std::string Arguments;
  const char *Binary = nullptr;
  const Expr *Right = nullptr;
  if (const auto *M = dyn_cast<CXXMemberCallExpr>(E)) {
    Object = behindAlias(M->getImplicitObjectArgument(), Aliased);
    if (M->getMethodDecl() && M->getMethodDecl()->getDeclName().isIdentifier())
      Method = M->getMethodDecl()->getName();
    std::vector<std::string> Written;
    for (const Expr *A : M->arguments())
      if (!isa<CXXDefaultArgExpr>(A))
        Written.push_back(T.of(A->getSourceRange()));
    for (size_t I = 0; I < Written.size(); ++I)
      Arguments += (I ? ", " : "") + Written[I];
  } else if (const auto *O = dyn_cast<CXXOperatorCallExpr>(E); O && O->getNumArgs() == 2) {
    Object = behindAlias(O->getArg(0), Aliased);
    Binary = binarySpelling(O->getOperator());
    Right = O->getArg(1);
  }
  // torch::clamp_(x, a, b) and torch::add_out(x, a, b)
  if (const auto *C = dyn_cast<CallExpr>(E);
      C && !Object && !isa<CXXOperatorCallExpr>(C) && C->getDirectCallee() &&
      C->getDirectCallee()->getDeclName().isIdentifier() && C->getNumArgs() >= 1 &&
      D.Through == Alias::None && D.Kind != DefectKind::HistoryOutdated &&
      isPlain(C->getArg(0))) {
    llvm::StringRef N = C->getDirectCallee()->getName();
    bool Out = N.ends_with("_out");
    if (!Out && !hasOutOfPlaceForm(N))
      return {};
    std::string Callee = T.of(C->getCallee()->getSourceRange());
    if (!llvm::StringRef(Callee).ends_with(N))
      return {};
    Callee.resize(Callee.size() - (Out ? 4 : 1));
    std::string Args;
    for (unsigned I = Out ? 1 : 0; I < C->getNumArgs(); ++I)
      if (!isa<CXXDefaultArgExpr>(C->getArg(I)))
        Args += (Args.empty() ? "" : ", ") + T.of(C->getArg(I)->getSourceRange());
    std::string New = T.of(C->getArg(0)->getSourceRange()) + " = " + Callee + "(" + Args + ")";
    return Replace(Statement ? New : "(" + New + ")");
  }
  if (!Object)
    return {};

  if (D.Through != Alias::None && !Aliased) {
    for (const autograd::ChainEvent &Event : D.Chain) {
      const auto *Made = dyn_cast_or_null<CXXMemberCallExpr>(Program.statement(Event.At));
      if (!Made || !Made->getMethodDecl() || !Made->getMethodDecl()->getDeclName().isIdentifier())
        continue;
      llvm::StringRef N = Made->getMethodDecl()->getName();
      if ((N == "detach" || N == "data" || N == "tensor_data" || N == "variable_data") &&
          Made->getNumArgs() == 0 && !T.inMacro(Made->getSourceRange()) &&
          // made and written in one expression: a copy would lose the write
          !(SM.isPointWithin(Made->getEndLoc(), E->getBeginLoc(), E->getEndLoc())) &&
          !Made->getType()->isPointerType()) {
        return {FixItHint::CreateInsertion(T.after(Made->getEndLoc()), ".clone()")};
      }
    }
    return {};
  }

  if (!isPlain(Object))
    return {};
  std::string Name = T.of(Object->getSourceRange());
  if (D.Kind == DefectKind::HistoryOutdated && D.Through == Alias::None)
    return {}; // under no-grad: the guard has to move, which is the author's decision
  if (Binary && Right) {
    std::string R = T.of(Right->getSourceRange());
    if (!bindsTighter(Right))
      R = "(" + R + ")";
    std::string New = Name + " = " + Name + Binary + R;
    return Replace(Statement ? New : "(" + New + ")");
  }
  if (hasOutOfPlaceForm(Method)) {
    std::string Call = Name + "." + Method.drop_back().str() + "(" + Arguments + ")";
    // As an expression the value is what matters; as a statement, the variable.
    return Replace(Statement ? Name + " = " + Call : "(" + Name + " = " + Call + ")");
  }
  // Anything else that writes a part or overwrites: on a copy of its own.
  SourceLocation Semi = EndOfStatement();
  if (!Statement || Semi.isInvalid() || Aliased)
    return {};
  return {FixItHint::CreateInsertion(E->getBeginLoc(), "{ " + Name + " = " + Name + ".clone(); "),
          FixItHint::CreateInsertion(T.after(Semi), " }")};
}

} // namespace torch_tidy::model
