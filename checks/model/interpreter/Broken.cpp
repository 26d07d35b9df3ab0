// Code that the compiler did not understand.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"
#include "clang/Basic/CharInfo.h"
#include "clang/Basic/SourceManager.h"
#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <set>

using namespace clang;

namespace torch_tidy::model {

/// Note [Broken code]
/// Half of the sources found on a plain machine lack some third-party header. Clang goes on after
/// an error, as clangd does, and leaves two traces: expressions that it could not give a meaning
/// (RecoveryExpr, names that depend on nothing), and holes, statements that it dropped without a
/// trace in the tree. Either may have done anything to what it names, so whatever it names is not
/// followed from there on: tensors are marked untracked (no finding may rest on them), numbers are
/// forgotten, and what is concluded from something *not* happening (a parameter that no backward
/// reached) is not concluded at all. Holes are known by the places of the compiler's errors; what
/// they name, by the words of the text between the statements around.

void Interpreter::noteErrors() {
  for (SourceLocation Loc : Options.Errors) {
    auto [File, Offset] = Sources.getDecomposedLoc(Sources.getExpansionLoc(Loc));
    if (!Files.contains(Sources.getExpansionLoc(Loc)))
      Holes[File].push_back(Offset);
  }
  for (auto &[File, Offsets] : Holes)
    llvm::sort(Offsets);
}

/// Nothing more is claimed about V and what it holds.
void Interpreter::distrust(CellId C) {
  std::set<uint32_t> Seen;
  distrust(C, Seen);
}

void Interpreter::distrust(CellId C, std::set<uint32_t> &Seen) {
  if (!C)
    return;
  const Value V = get(C);
  auto Forget = [&](TensorId T) {
    if (T && !Torch.S.Tensors[T].Untracked) {
      Torch.S.Tensors.edit(T).Untracked = true;
      ++Torch.S.Effects;
    }
  };
  switch (V.K) {
  case Value::Tensor:
    Forget(V.T.T);
    // The variable may have been bound to another tensor as well.
    if (!V.T.T || !Torch.S.Tensors[V.T.T].IsParameter)
      set(C, Value::tensor(Torch.bind(Torch.untracked({}, "code that does not compile"))));
    return;
  case Value::RawData:
    Forget(V.T.T);
    return;
  case Value::Integer:
  case Value::Floating:
  case Value::Null:
    set(C, fresh());
    return;
  case Value::Pointer:
    distrust(V.C, Seen);
    return;
  case Value::Object:
    break;
  default:
    return;
  }
  if (!Seen.insert(V.O.Value).second)
    return;
  const Object O = P.Objects[V.O];
  for (TensorId T : O.Held)
    Forget(T);
  auto All = [&](const auto &Named) {
    for (const auto &[Name, X] : Named)
      distrust(X, Seen);
  };
  All(O.Fields);
  All(O.Parameters);
  All(O.Buffers);
  All(O.Captures);
  for (CellId X : O.Elements)
    distrust(X, Seen);
  for (const auto &[Name, Child] : O.Children)
    distrust(cell(Child), Seen);
  if (O.K == Object::Sequence || O.K == Object::Map)
    P.Objects.edit(V.O).Open = true;
}

bool Interpreter::isBroken(const Expr *E) const {
  if (isa<RecoveryExpr, UnresolvedLookupExpr, UnresolvedMemberExpr, CXXDependentScopeMemberExpr,
          DependentScopeDeclRefExpr, CXXUnresolvedConstructExpr>(E))
    return true;
  const auto *C = dyn_cast<CallExpr>(E);
  return C && C->isTypeDependent() && !C->getDirectCallee();
}

/// Runs what is there of an expression without meaning, and gives up what it touches.
CellId Interpreter::broken(const Expr *E) {
  untracked("code that does not compile here");
  Torch.S.OpaqueBackward = true;
  for (const Stmt *Child : E->children())
    if (const auto *X = dyn_cast_or_null<Expr>(Child)) {
      if (isa<UnresolvedLookupExpr, DependentScopeDeclRefExpr>(X) || X->getType().isNull())
        continue;
      distrust(lvalueOf(X));
    }
  if (Kinds.isTensor(E->getType()))
    return cell(Value::tensor(Torch.bind(Torch.untracked(site(E), "code that does not compile"))));
  return cell();
}

/// The statements dropped between two places of a function.
void Interpreter::holes(SourceLocation From, SourceLocation To, const Stmt *Inside) {
  auto [File, Begin] = Sources.getDecomposedLoc(Sources.getExpansionLoc(From));
  auto [Other, End] = Sources.getDecomposedLoc(Sources.getExpansionLoc(To));
  auto It = Holes.find(File);
  if (It == Holes.end() || Other != File)
    return;
  for (auto At = std::lower_bound(It->second.begin(), It->second.end(), Begin);
       At != It->second.end() && *At <= End; ++At)
    if (!Inside || !isInNestedBlock(Inside, File, *At))
      hole(File, *At);
}

bool Interpreter::isInNestedBlock(const Stmt *S, FileID File, unsigned Offset) const {
  for (const Stmt *Child : S->children()) {
    if (!Child)
      continue;
    if (isa<CompoundStmt>(Child)) {
      auto [F, Begin] = Sources.getDecomposedLoc(Sources.getExpansionLoc(Child->getBeginLoc()));
      auto [G, End] = Sources.getDecomposedLoc(Sources.getExpansionLoc(Child->getEndLoc()));
      if (F == File && Begin < Offset && Offset <= End)
        return true;
    } else if (isInNestedBlock(Child, File, Offset)) {
      return true;
    }
  }
  return false;
}

void Interpreter::hole(FileID File, unsigned Offset) {
  untracked("statement that does not compile here");
  Torch.S.OpaqueBackward = true;
  llvm::StringRef Text = Sources.getBufferData(File);
  size_t Begin = Text.take_front(Offset).find_last_of(";{}");
  Begin = Begin == llvm::StringRef::npos ? 0 : Begin + 1;
  size_t End = Offset;
  constexpr size_t MostCharacters = 10000;
  for (int Depth = 0; End < Text.size() && End < Offset + MostCharacters; ++End) {
    if (Text[End] == ';' && Depth == 0)
      break;
    Depth += (Text[End] == '{') - (Text[End] == '}');
    if (Depth < 0)
      break;
  }
  std::set<llvm::StringRef> Words;
  for (size_t I = Begin; I < End; ++I)
    if (isAsciiIdentifierStart(Text[I])) {
      size_t Stop = I;
      while (Stop < End && isAsciiIdentifierContinue(Text[Stop]))
        ++Stop;
      Words.insert(Text.slice(I, Stop));
      I = Stop;
    }
  if (!Current)
    return;
  std::vector<CellId> Named;
  for (const auto &[D, C] : Current->Variables)
    if (D->getDeclName().isIdentifier() && Words.count(D->getName()))
      Named.push_back(C);
  if (Current->This.isObject()) {
    const Object Self = P.Objects[Current->This.O];
    if (Words.count("this"))
      Named.push_back(cell(Current->This));
    for (const auto *Members : {&Self.Fields, &Self.Parameters, &Self.Buffers})
      for (const auto &[Name, C] : *Members)
        if (Words.count(Name))
          Named.push_back(C);
  }
  for (CellId C : Named)
    distrust(C);
}

Interpreter::Flow Interpreter::executeWithHoles(const CompoundStmt *S) {
  SourceLocation From = S->getLBracLoc();
  for (const Stmt *X : S->body()) {
    holes(From, X->getBeginLoc());
    From = X->getEndLoc();
    if (Flow F = execute(X); F != Flow::Normal)
      return F;
    holes(X->getBeginLoc(), X->getEndLoc(), X);
  }
  holes(From, S->getRBracLoc());
  return Flow::Normal;
}

} // namespace torch_tidy::model
