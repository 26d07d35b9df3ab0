// Construction of objects: constructors and their initialisers, defaults, library classes.
#include "interpreter/Interpreter.h"

#include "clang/AST/DeclTemplate.h"
#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"

using namespace clang;

namespace torch_tidy::model {

void Interpreter::initialise(const CXXConstructorDecl *Ctor, const Value &Self) {
  if (!Self.isObject())
    return;
  for (const CXXCtorInitializer *I : Ctor->inits()) {
    const Expr *Init = I->getInit();
    if (I->isAnyMemberInitializer()) {
      const FieldDecl *F = I->getAnyMember();
      CellId C = F->getType()->isReferenceType() ? lvalueOf(Init) : cell(rvalue(Init));
      shape(C, F->getType(), site(Init));
      if (!F->getType()->isReferenceType())
        keep(C, I->isWritten() ? site(Init) : site(F->getLocation()), F->getName());
      Object &O = P.Objects.edit(Self.O);
      bool Known = false;
      for (auto &[N, X] : O.Fields)
        if (N == F->getNameAsString()) {
          X = C;
          Known = true;
        }
      if (!Known)
        O.Fields.push_back({F->getNameAsString(), C});
      continue;
    }
    const Expr *Inner = Init->IgnoreImplicit();
    if (const auto *X = dyn_cast<CXXInheritedCtorInitExpr>(Inner)) {
      std::vector<CellId> Args;
      if (Current && Current->Function)
        for (const ParmVarDecl *Param : Current->Function->parameters())
          Args.push_back(variable(Param));
      if (isUser(X->getConstructor()))
        enter(X->getConstructor(), Self, Args);
    } else if (const auto *X = dyn_cast<CXXConstructExpr>(Inner)) {
      const CXXConstructorDecl *Base = X->getConstructor();
      if (isUser(Base)) {
        llvm::ArrayRef<const Expr *> Args(X->getArgs(), X->getNumArgs());
        const FunctionDecl *Body = nullptr;
        if (Base->getBody(Body))
          enter(Base, Self, arguments(Base, Args));
        else
          defaultFields(Base->getParent(), Self);
      } else {
        std::vector<CellId> Args =
            arguments(Base, llvm::ArrayRef<const Expr *>(X->getArgs(), X->getNumArgs()));
        // A class of the user's built on a library module (Sequential, Linear): its members live
        // in the same object.
        if (Kinds.kind(Base->getParent()) == ClassKind::Module &&
            Base->getParent()->getName() != "Module" && Base->getParent()->getName() != "Cloneable")
          if (Value Part = makeLibraryModule(Base->getParent(), Args, site(Init));
              Part.isObject()) {
            const Object From = P.Objects[Part.O];
            Object &O = P.Objects.edit(Self.O);
            O.Name = From.Name;
            for (const auto &X : From.Parameters)
              O.Parameters.push_back(X);
            for (const auto &X : From.Buffers)
              O.Buffers.push_back(X);
            for (const auto &X : From.Children)
              O.Children.push_back(X);
            for (const auto &X : From.Fields)
              O.Fields.push_back(X);
            for (const auto &X : From.Members)
              O.Members.push_back(X);
          }
        if (Kinds.kind(Base->getParent()) == ClassKind::Optimizer)
          holdFrom(Self.O, Args, site(Init));
      }
    }
  }
}

void Interpreter::defaultFields(const CXXRecordDecl *R, const Value &Self) {
  R = R->getDefinition();
  if (!R || !isUser(R))
    return;
  for (const CXXBaseSpecifier &B : R->bases())
    if (const CXXRecordDecl *Base = B.getType()->getAsCXXRecordDecl(); Base && isUser(Base)) {
      if (const CXXConstructorDecl *D = chooseConstructor(Base, {}); D && D->isUserProvided()) {
        const FunctionDecl *Body = nullptr;
        if (D->getBody(Body)) {
          enter(D, Self, {});
          continue;
        }
      }
      defaultFields(Base, Self);
    }
  for (const FieldDecl *F : R->fields()) {
    if (P.Objects[Self.O].field(F->getNameAsString()))
      continue;
    const Expr *Init = F->hasInClassInitializer() ? F->getInClassInitializer() : nullptr;
    CellId C = Init ? (F->getType()->isReferenceType() ? lvalueOf(Init) : cell(rvalue(Init)))
                    : cell(defaultValue(F->getType()));
    shape(C, F->getType(), site(F->getLocation()));
    if (!F->getType()->isReferenceType())
      keep(C, Init ? site(Init) : site(F->getLocation()), F->getName());
    P.Objects.edit(Self.O).Fields.push_back({F->getNameAsString(), C});
  }
}

/// How well the parameters of a function fit arguments, where the overload that was chosen is hidden
/// in code of the library's.
int Interpreter::resemblance(const FunctionDecl *F, const std::vector<CellId> &Args) const {
  int Score = 0;
  for (unsigned I = 0; I < Args.size() && I < F->getNumParams(); ++I) {
    const Value &V = get(Args[I]);
    QualType T = F->getParamDecl(I)->getType().getNonReferenceType();
    bool Fits = V.K == Value::Integer    ? T->isIntegralOrEnumerationType()
                : V.K == Value::Floating ? T->isFloatingType()
                : V.K == Value::Tensor   ? Kinds.isTensor(T)
                : V.isObject()           ? T->isRecordType() || T->isPointerType()
                                         : true;
    Score += Fits ? 2 : T->isArithmeticType() && V.isKnownNumber() ? 1 : -4;
  }
  return Score;
}

const CXXConstructorDecl *Interpreter::chooseConstructor(const CXXRecordDecl *R,
                                                         const std::vector<CellId> &Args) {
  R = R->getDefinition();
  if (!R)
    return nullptr;
  const CXXConstructorDecl *Best = nullptr;
  int BestScore = -1;
  for (const CXXConstructorDecl *C : R->ctors()) {
    if (C->isCopyOrMoveConstructor() || C->isDeleted() || C->getNumParams() < Args.size() ||
        C->getMinRequiredArguments() > Args.size())
      continue;
    // make_shared and holders hide the overload that was chosen: take the one whose parameters
    // resemble the arguments most.
    int Score = resemblance(C, Args);
    if (Score > BestScore) {
      Best = C;
      BestScore = Score;
    }
  }
  return Best;
}

Value Interpreter::makeUserObject(const CXXRecordDecl *R, const CXXConstructorDecl *Ctor,
                                  const std::vector<CellId> &Args) {
  R = R->getDefinition() ? R->getDefinition() : R;
  ClassKind Kind = Kinds.kind(R);
  Object::Kind K = Kind == ClassKind::Module      ? Object::Module
                   : Kind == ClassKind::Optimizer ? Object::Optimizer
                                                  : Object::Record;
  Value Self = Value::object(object(K, "", R));
  const FunctionDecl *Body = nullptr;
  if (Ctor && Ctor->getBody(Body)) {
    enter(Ctor, Self, Args);
    return Self;
  }
  Frame New;
  New.This = Self;
  New.Depth = Current ? Current->Depth + 1 : 0;
  New.Caller = Current;
  Frame *Caller = Current;
  Current = &New;
  try {
    if (Ctor && !Ctor->inits().empty())
      initialise(Ctor, Self);
    defaultFields(R, Self);
  } catch (...) {
    Current = Caller;
    throw;
  }
  Current = Caller;
  return Self;
}

/// An object of a class from arguments alone, as make_shared and holders do it.
Value Interpreter::makeObject(const CXXRecordDecl *R, const std::vector<CellId> &Args, Site At) {
  ClassKind Kind = Kinds.kind(R);
  switch (Kind) {
  case ClassKind::GradGuard:
  case ClassKind::InferenceGuard:
  case ClassKind::AutocastGuard:
    return makeGuard(R, Args, At);
  case ClassKind::Module:
    if (!isUser(R))
      return makeLibraryModule(R, Args, At);
    break;
  case ClassKind::ModuleHolder:
    if (const CXXRecordDecl *Impl = Kinds.holderImpl(R))
      return makeObject(Impl, Args, At);
    break;
  case ClassKind::Optimizer:
    if (!isUser(R))
      return makeOptimizer(R, Args, At);
    break;
  case ClassKind::Tensor:
    return Args.empty() ? Value::tensor({}) : get(Args[0]);
  case ClassKind::Other:
    break;
  case ClassKind::Pair:
  case ClassKind::Tuple:
    return makeTuple(R, Args);
  default:
    if (!Args.empty())
      return copy(get(Args[0]));
    break;
  }
  if (isUser(R))
    return makeUserObject(R, chooseConstructor(R, Args), Args);
  Value V = Value::object(object(Object::Record, R->getNameAsString(), R));
  for (size_t I = 0; I < Args.size(); ++I) // it may hold what it was given
    P.Objects.edit(V.O).Fields.push_back({"argument" + std::to_string(I), Args[I]});
  return V;
}

Value Interpreter::makeTuple(const CXXRecordDecl *R, const std::vector<CellId> &Args) {
  if (Args.size() == 1 && get(Args[0]).isObject() && P.Objects[get(Args[0]).O].K == Object::Tuple)
    return copy(get(Args[0]));
  std::vector<CellId> Elements;
  for (CellId A : Args)
    Elements.push_back(cell(copy(get(A))));
  if (Args.empty())
    for (QualType X : Types::typeArguments(R))
      Elements.push_back(cell(defaultValue(X)));
  ObjectId T = object(Object::Tuple);
  P.Objects.edit(T).Elements = std::move(Elements);
  return Value::object(T);
}

/// A map of pairs.
Value Interpreter::mapOf(std::vector<CellId> Pairs, bool Open) {
  std::vector<CellId> Elements;
  std::vector<Value> Keys;
  for (CellId X : Pairs) {
    const Value V = get(X);
    if (!V.isObject() || P.Objects[V.O].K != Object::Tuple || P.Objects[V.O].Elements.size() < 2) {
      Open = true;
      continue;
    }
    const std::vector<CellId> Pair = P.Objects[V.O].Elements;
    Keys.push_back(get(Pair[0]));
    Elements.push_back(cell(copy(get(Pair[1]))));
  }
  ObjectId O = object(Object::Map);
  Object &M = P.Objects.edit(O);
  M.Elements = std::move(Elements);
  M.Keys = std::move(Keys);
  M.Open = M.External = Open;
  return Value::object(O);
}

Value Interpreter::construct(const CXXConstructExpr *E) {
  const CXXConstructorDecl *Ctor = E->getConstructor();
  const CXXRecordDecl *R = Ctor->getParent();
  ClassKind Kind = Kinds.kind(R);
  llvm::ArrayRef<const Expr *> Written(E->getArgs(), E->getNumArgs());
  Site At = site(E);
  CallingAt = At;

  if (Ctor->isCopyOrMoveConstructor() && !Written.empty() &&
      (!isUser(Ctor) || !Ctor->isUserProvided())) {
    const CellId From = lvalueOf(Written[0]);
    Value V = get(From);
    if (Kind == ClassKind::Module && V.isObject()) {
      // A module object of its own with the same handles to tensors and submodules.
      return Ctor->isMoveConstructor() ? V : copyModule(V.O);
    }
    if (Ctor->isMoveConstructor() && V.isObject())
      P.Blobs.erase(V.O); // the memory lives on in the new container
    if (Ctor->isMoveConstructor() && Types::isUniquePointer(R))
      set(From, Value::null());
    return Ctor->isMoveConstructor() ? V : copy(V);
  }
  if (Kind == ClassKind::Other && isUser(R)) {
    std::vector<CellId> Args = arguments(Ctor, Written);
    return makeUserObject(R, Ctor, Args);
  }
  std::vector<const Expr *> Kept;
  std::vector<CellId> Args = arguments(Ctor, Written, &Kept);
  switch (Kind) {
  case ClassKind::Tensor:
    return Args.empty() ? Value::tensor({}) : get(Args[0]);
  case ClassKind::Scalar:
  case ClassKind::TensorIndex:
  case ClassKind::Function:
  case ClassKind::ReferenceWrapper:
  case ClassKind::Iterator:
    if (Kind == ClassKind::ReferenceWrapper && !Args.empty())
      return get(Args[0]).isObject() ? get(Args[0]) : Value::pointer(Args[0]);
    return Args.empty() ? Value::null() : get(Args[0]);
  case ClassKind::String: {
    const Value V = Args.empty() ? fresh() : get(Args[0]);
    return V.K == Value::Pointer ? get(V.C) : V; // of a literal
  }
  case ClassKind::Variant:
    return Args.empty() ? defaultValue(E->getType()) : copy(get(Args[0]));
  case ClassKind::Optional:
  case ClassKind::SmartPointer: {
    if (Args.empty())
      return Value::null();
    Value V = get(Args[0]);
    if (V.isObject() && P.Objects[V.O].Name == "nullopt")
      return Value::null();
    return Kind == ClassKind::Optional ? copy(V) : V;
  }
  case ClassKind::ModuleHolder: {
    const CXXRecordDecl *Impl = Kinds.holderImpl(R);
    if (Args.size() == 1 && Impl) {
      const Value V = get(Args[0]);
      if (V.K == Value::Null)
        return V;
      if (V.isObject() && P.Objects[V.O].K == Object::Module) {
        // From a pointer or another holder; but Sequential(module) wraps its argument.
        bool Wraps = R->getName() == "Sequential" || R->getName() == "ModuleList";
        const CXXRecordDecl *Given = P.Objects[V.O].Class;
        if (!Wraps || P.Objects[V.O].Name == R->getName() || (Given && Given == Impl))
          return V;
      }
    }
    if (!Impl) // AnyModule
      return Args.empty() ? Value::null() : get(Args[0]);
    if (!isUser(Impl))
      return makeLibraryModule(Impl, Args, At);
    return makeUserObject(Impl, chooseConstructor(Impl, Args), Args);
  }
  case ClassKind::Module:
    if (isUser(R))
      return makeUserObject(R, Ctor, Args);
    return makeLibraryModule(R, Args, At);
  case ClassKind::GradGuard:
  case ClassKind::InferenceGuard:
  case ClassKind::AutocastGuard:
    return makeGuard(R, Args, At);
  case ClassKind::Optimizer:
    if (isUser(R))
      return makeUserObject(R, Ctor, Args);
    return makeOptimizer(R, Args, At);
  case ClassKind::Scaler:
  {
    Value V = Value::object(object(Object::Scaler, "GradScaler", R));
    P.Objects.edit(V.O).External = !Args.empty();
    return V;
  }
  case ClassKind::Options: {
    Value V = Value::object(object(Object::Options, R->getNameAsString(), R));
    for (size_t I = 0; I < Args.size() && I < Ctor->getNumParams(); ++I) {
      if (get(Args[I]).isObject() && P.Objects[get(Args[I]).O].K == Object::Options)
        return get(Args[I]);
      P.Objects.edit(V.O).Fields.push_back({Ctor->getParamDecl(I)->getNameAsString(), Args[I]});
    }
    return V;
  }
  case ClassKind::Sequence:
  case ClassKind::Map: {
    if (!Args.empty()) {
      const Value V = get(Args[0]);
      if (V.isObject() && P.Objects[V.O].K == Object::Sequence && Kind == ClassKind::Map)
        return mapOf(P.Objects[V.O].Elements, P.Objects[V.O].Open);
      if (V.isObject() && (P.Objects[V.O].K == Object::Sequence || P.Objects[V.O].K == Object::Map))
        return copy(V);
      if (isIterator(V)) {
        auto From = ownerOf(V);
        bool Open = !From || P.Objects[*From].Open;
        std::vector<ObjectId> Whole = From ? P.Objects[*From].ParametersOf : std::vector<ObjectId>();
        std::vector<CellId> Copied;
        for (CellId X : elementsBetween(V, Args.size() > 1 ? get(Args[1]) : Value()))
          Copied.push_back(cell(copy(get(X))));
        if (Kind == ClassKind::Map)
          return mapOf(Copied, Open);
        ObjectId S = object(Object::Sequence);
        Object &New = P.Objects.edit(S);
        New.Elements = std::move(Copied);
        New.Open = New.External = Open;
        New.ParametersOf = std::move(Whole);
        return Value::object(S);
      }
    }
    Value S = Kind == ClassKind::Map ? Value::object(object(Object::Map)) : emptySequence(R);
    if (R->getName() == "ArrayRef" && Args.size() == 1) {
      P.Objects.edit(S.O).Elements.push_back(Args[0]);
      return S;
    }
    if (!Args.empty() && get(Args[0]).K == Value::Integer) {
      int64_t N = std::min<int64_t>(get(Args[0]).I, 64);
      QualType T = Types::firstTemplateArgument(R);
      for (int64_t I = 0; I < N; ++I) {
        CellId X = cell(Args.size() > 1 ? copy(get(Args[1]))
                        : T.isNull()    ? Value()
                                        : defaultValue(T));
        P.Objects.edit(S.O).Elements.push_back(X);
      }
    } else if (!Args.empty()) {
      P.Objects.edit(S.O).Open = true;
      P.Objects.edit(S.O).External = true;
      // A range of a tensor's numbers: vector<float>(p, p + n).
      for (CellId A : Args)
        if (std::vector<Operand> From = numbersIn(get(A)); !From.empty()) {
          Value Number = fresh();
          Number.T = From.front();
          CellId X = cell(Number);
          P.Objects.edit(S.O).Elements.push_back(X);
          break;
        }
    }
    return S;
  }
  case ClassKind::Pair:
  case ClassKind::Tuple:
    return makeTuple(R, Args);
  default:
    break;
  }
  Value V = Value::object(object(Object::Record, R->getNameAsString(), R));
  for (size_t I = 0; I < Args.size() && I < Ctor->getNumParams(); ++I)
    P.Objects.edit(V.O).Fields.push_back({Ctor->getParamDecl(I)->getNameAsString(), Args[I]});
  P.Objects.edit(V.O).External = true;
  return V;
}

} // namespace torch_tidy::model
