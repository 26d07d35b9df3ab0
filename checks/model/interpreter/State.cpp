// Values: copying, defaults, what comes from outside, symbols, places.
#include "interpreter/Interpreter.h"

#include "clang/AST/ASTContext.h"
#include "clang/AST/DeclTemplate.h"
#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"
#include "clang/AST/ParentMapContext.h"
#include "clang/Basic/SourceManager.h"

#include <algorithm>

using namespace clang;

namespace torch_tidy::model {

Interpreter::Interpreter(ASTContext &Context, const LibraryFiles &Files,
                         const facts::FactTable &Facts, const AnalysisOptions &Options,
                         Statistics &Stats)
    : Context(Context), Sources(Context.getSourceManager()), Files(Files), Facts(Facts),
      Options(Options), Stats(Stats), Torch(Facts) {
  Places.emplace_back();
  noteErrors();
  IsValueRead = [this](const CXXMethodDecl *M) {
    if (isUser(M) || !M->isConst() || M->isStatic() || !M->getDeclName().isIdentifier() ||
        Kinds.kind(M->getParent()) != ClassKind::Tensor)
      return false;
    QualType R = M->getReturnType();
    if (R->isArithmeticType() || Kinds.kind(R) == ClassKind::Scalar)
      return true;
    if (!Kinds.isTensor(R))
      return false;
    // An operator behind which the graph ends: detach(), argmax().
    auto Spellings = this->Facts.spellings(facts::Spelling::Method, M->getName());
    return !Spellings.empty() && std::all_of(Spellings.begin(), Spellings.end(), [](auto *X) {
      const facts::OpFact &Op = *X->Op;
      return std::none_of(Op.Arguments.begin(), Op.Arguments.end(),
                          [](const auto &A) { return A.Mutated; }) &&
             std::all_of(Op.Outputs.begin(), Op.Outputs.end(),
                         [](const auto &O) { return O.Diff == facts::Differentiable::No; });
    });
  };
  IsReplacement = [this](const FunctionDecl *F) {
    return !isUser(F) || F->isDefaulted() || F->isImplicit();
  };
}

bool Interpreter::isUser(const Decl *D) const { return D && !Files.contains(D->getLocation()); }

void Interpreter::untracked(const std::string &Why) { ++Stats.UntrackedReasons[Why]; }

//===--- places ----------------------------------------------------------------------------===//

Site Interpreter::site(SourceLocation L, const Stmt *S) {
  auto [It, New] = PlaceNumbers.insert({{L.getRawEncoding(), S}, 0});
  if (New) {
    It->second = static_cast<uint32_t>(Places.size());
    Place X;
    X.Loc = L;
    X.S = S;
    Places.push_back(X);
  }
  if (Current && Current->Function &&
      Current->Function->getTemplateInstantiationPattern() != nullptr)
    Places[It->second].InTemplate = true;
  return {It->second, ChosenArms > 0};
}

Site Interpreter::site(const Stmt *S) {
  if (!S)
    return {};
  SourceLocation L = S->getBeginLoc();
  if (const auto *E = dyn_cast<Expr>(S))
    L = E->getExprLoc(); // of a member call: the member's name, the right line in a chain
  return site(L, S);
}

SourceLocation Interpreter::location(Site At) const { return Places[At.Number].Loc; }
const Stmt *Interpreter::statement(Site At) const { return Places[At.Number].S; }
bool Interpreter::insideTemplate(Site At) const { return Places[At.Number].InTemplate; }

bool Interpreter::isDiscarded(Site At) const { return Places[At.Number].Discarded; }

//===--- values ----------------------------------------------------------------------------===//

ObjectId Interpreter::object(Object::Kind K, std::string Name, const CXXRecordDecl *R) {
  Object O;
  O.K = K;
  O.Name = std::move(Name);
  O.Class = R;
  return P.Objects.add(std::move(O));
}

Value Interpreter::symbol(const std::string &Key) {
  auto [It, New] = Symbols.insert({Key, static_cast<uint32_t>(Symbols.size() + 1)});
  if (New)
    SymbolKeys.push_back(&It->first);
  Value V;
  V.Symbol = It->second;
  return V;
}

std::optional<std::string> Interpreter::textOf(Value V) const {
  if (V.K == Value::Pointer) // to the literal
    V = get(V.C);
  if (V.K != Value::Unknown || !V.Symbol || V.Symbol > SymbolKeys.size())
    return std::nullopt;
  llvm::StringRef Key = *SymbolKeys[V.Symbol - 1];
  if (!Key.consume_front("str:"))
    return std::nullopt;
  return Key.str();
}

Value Interpreter::constant(const std::string &Key) {
  Value V = symbol(Key);
  Constants.insert(V.Symbol);
  return V;
}

/// An unknown number unlike any other. Symbols of questions count from below.
Value Interpreter::fresh(ProgramState &S) {
  constexpr uint32_t FirstFresh = 1u << 31;
  Value V;
  V.Symbol = FirstFresh + S.FreshSymbols++;
  return V;
}

Value Interpreter::negate(Value V) const {
  V.Negated = !V.Negated;
  return V;
}

/// Value semantics of records and containers; tensors, modules, closures and optimizers are
/// handles.
Value Interpreter::copy(const Value &V, unsigned Depth) {
  if (!V.isObject() || Depth > 12)
    return V;
  const Object From = P.Objects[V.O];
  switch (From.K) {
  case Object::Record:
  case Object::Sequence:
  case Object::Map:
  case Object::Tuple:
  case Object::Options:
    break;
  default:
    return V;
  }
  Object New = From;
  for (CellId &C : New.Elements)
    C = cell(copy(get(C), Depth + 1));
  for (auto &[N, C] : New.Fields) {
    // Pointers and references to records share; a record member is copied with its owner.
    const Value X = get(C);
    bool Shares = X.isObject() && New.Class && New.Class->hasDefinition() && [&] {
      for (const FieldDecl *F : New.Class->getDefinition()->fields())
        if (F->getName() == N)
          return F->getType()->isPointerType() || F->getType()->isReferenceType() ||
                 Kinds.kind(F->getType()) == ClassKind::SmartPointer;
      return false;
    }();
    C = cell(Shares ? X : copy(X, Depth + 1));
  }
  return Value::object(P.Objects.add(std::move(New)));
}

/// V, read from From, as what another variable holds from now on: see Note [Old handles].
Value Interpreter::secondName(Value V, const Expr *From) const {
  if (!V.isTensor() || !V.T.T || !From)
    return V;
  V.T.Named = true;
  From = From->IgnoreImplicit();
  if (const auto *C = dyn_cast<CXXConstructExpr>(From);
      C && C->getConstructor()->isCopyConstructor() && C->getNumArgs() == 1)
    From = C->getArg(0)->IgnoreParenImpCasts();
  From = From->IgnoreParens();
  // A part that a variable is given of another one is kept for what it was before, too.
  const auto *Part = dyn_cast<CXXMemberCallExpr>(From);
  bool View = Part && V.T.T && Torch.S.Tensors[V.T.T].IsView && Part->getMethodDecl() &&
              Kinds.kind(Part->getMethodDecl()->getParent()) == ClassKind::Tensor &&
              isa<DeclRefExpr>(Part->getImplicitObjectArgument()->IgnoreParenImpCasts());
  if (View)
    V.T.Kept = false;
  if (!View && !isa<DeclRefExpr>(From) && !isa<MemberExpr>(From))
    return V;
  // A copy of a second name was kept as long as that one.
  if (!V.T.Kept)
    V.T = Torch.bind(V.T.T);
  V.T.Named = V.T.Kept = true;
  return V;
}

/// What a container is before anything is put into it: an array has its elements.
Value Interpreter::emptySequence(const CXXRecordDecl *R) {
  Value V = Value::object(object(Object::Sequence));
  const auto *S = dyn_cast<ClassTemplateSpecializationDecl>(R);
  if (!S || R->getName() != "array" || S->getTemplateArgs().size() < 2 ||
      S->getTemplateArgs()[1].getKind() != TemplateArgument::Integral)
    return V;
  uint64_t N = std::min<uint64_t>(S->getTemplateArgs()[1].getAsIntegral().getLimitedValue(), 32);
  for (uint64_t I = 0; I < N; ++I) {
    CellId X = cell(defaultValue(Types::firstTemplateArgument(R)));
    P.Objects.edit(V.O).Elements.push_back(X);
  }
  return V;
}

Value Interpreter::defaultValue(QualType T, bool External) {
  if (External)
    return externalValue(T, {}, "value");
  if (T.isNull())
    return {};
  T = T.getNonReferenceType();
  if (T->isPointerType())
    return Value::null();
  if (const auto *A = T->getAsArrayTypeUnsafe()) {
    ObjectId S = object(Object::Sequence);
    if (const auto *K = dyn_cast<ConstantArrayType>(A)) {
      uint64_t N = std::min<uint64_t>(K->getSize().getLimitedValue(), 32);
      for (uint64_t I = 0; I < N; ++I) {
        CellId X = cell(defaultValue(A->getElementType()));
        P.Objects.edit(S).Elements.push_back(X);
      }
    }
    return Value::object(S);
  }
  const CXXRecordDecl *R = T->getAsCXXRecordDecl();
  if (!R)
    return fresh();
  switch (Kinds.kind(R)) {
  case ClassKind::Tensor:
    return Value::tensor({});
  case ClassKind::GradGuard:
  case ClassKind::InferenceGuard:
  case ClassKind::AutocastGuard:
    return makeGuard(R, {}, {});
  case ClassKind::Sequence:
    return emptySequence(R);
  case ClassKind::Map:
    return Value::object(object(Object::Map));
  case ClassKind::Optional:
  case ClassKind::SmartPointer:
  case ClassKind::Function:
    return Value::null();
  case ClassKind::Variant: // std::any holds nothing, a variant its first alternative
    return R->getName() == "any" ? Value::null() : defaultValue(Types::firstTemplateArgument(R));
  case ClassKind::ModuleHolder:
    return Value::null();
  case ClassKind::Options:
    return Value::object(object(Object::Options, R->getNameAsString(), R));
  case ClassKind::Scaler:
    return Value::object(object(Object::Scaler, "GradScaler", R));
  case ClassKind::String:
  case ClassKind::Scalar:
  case ClassKind::TensorIndex:
    return fresh();
  default:
    break;
  }
  if (isUser(R) && R->hasDefinition())
    return makeUserObject(R, chooseConstructor(R, {}), {});
  return Value::object(object(Object::Record, R->getNameAsString(), R));
}

/// A value that the program did not make: read from a library object, a file, a data loader.
/// Tensors that come this way are data: leaves that do not require grad.
Value Interpreter::externalValue(QualType T, Site At, const std::string &Name) {
  if (T.isNull() || T->isVoidType())
    return {};
  T = T.getNonReferenceType();
  if (T->isPointerType()) {
    QualType Inner = T->getPointeeType();
    if (Inner->isRecordType())
      return externalValue(Inner, At, Name);
    return fresh();
  }
  const CXXRecordDecl *R = T->getAsCXXRecordDecl();
  if (!R)
    return fresh();
  switch (Kinds.kind(R)) {
  case ClassKind::Tensor:
    return Value::tensor(Torch.bind(Torch.leaf(At, Name, false)));
  case ClassKind::Sequence:
  case ClassKind::Map: {
    ObjectId O = object(Kinds.kind(R) == ClassKind::Map ? Object::Map : Object::Sequence);
    P.Objects.edit(O).Open = P.Objects.edit(O).External = true;
    return Value::object(O);
  }
  case ClassKind::Pair:
  case ClassKind::Tuple: {
    std::vector<CellId> Elements;
    for (QualType X : Types::typeArguments(R))
      Elements.push_back(cell(externalValue(X, At, Name)));
    ObjectId O = object(Object::Tuple);
    P.Objects.edit(O).Elements = std::move(Elements);
    return Value::object(O);
  }
  case ClassKind::SmartPointer: {
    QualType Inner = Types::firstTemplateArgument(R);
    return Inner.isNull() ? fresh() : externalValue(Inner, At, Name);
  }
  case ClassKind::Optional:
  case ClassKind::Variant:
  case ClassKind::String:
  case ClassKind::Scalar:
  case ClassKind::TensorIndex:
  case ClassKind::Function:
    return fresh();
  case ClassKind::Options:
    return Value::object(object(Object::Options, R->getNameAsString(), R));
  case ClassKind::Optimizer: {
    ObjectId O = object(Object::Optimizer, R->getNameAsString(), R);
    return Value::object(O);
  }
  default:
    break;
  }
  ObjectId O = object(Object::Record, isUser(R) ? "" : R->getNameAsString(), R);
  P.Objects.edit(O).External = true;
  return Value::object(O);
}

void Interpreter::shape(CellId C, QualType T, Site At) {
  if (get(C).K == Value::Tensor || T.isNull() || !Kinds.isTensor(T))
    return;
  const Value V = get(C);
  if (V.K == Value::Integer || V.K == Value::Floating || V.T.T) {
    // A number that becomes a tensor.
    std::vector<Operand> From = numbersIn(V);
    set(C, Value::tensor(From.empty() ? Torch.bind(Torch.leaf(At, "number", false))
                                      : tensorOfNumbers(From, true, At)));
    return;
  }
  set(C, Value::tensor(Torch.bind(Torch.untracked(At, "value that was not followed"))));
}

} // namespace torch_tidy::model
