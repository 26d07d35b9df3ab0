#include "interpreter/Interpreter.h"

#include "clang/AST/Attr.h"
#include "clang/AST/DeclTemplate.h"
#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"

#include <algorithm>

using namespace clang;

namespace torch_tidy::model {

namespace {

std::string nameOf(const FunctionDecl *F) {
  if (F->getOverloadedOperator() != OO_None)
    return std::string("operator") + getOperatorSpelling(F->getOverloadedOperator());
  if (F->getDeclName().isIdentifier())
    return F->getName().str();
  return F->getNameAsString();
}

} // namespace

const Interpreter::Spelled &Interpreter::spelled(const FunctionDecl *F) {
  auto [It, New] = Spellings.try_emplace(F);
  if (New) {
    It->second.Name = nameOf(F);
    It->second.Qualified = F->getQualifiedNameAsString();
    for (const ParmVarDecl *Param : F->parameters())
      It->second.ParameterForms.push_back(facts::normalForm(Param->getType().getAsString()));
  }
  return It->second;
}

bool Interpreter::isNumberOrText(QualType T) const {
  return !T.isNull() && (T->isArithmeticType() || T->isEnumeralType() ||
                         Kinds.kind(T) == ClassKind::String);
}

/// A function that is not followed may have written whatever it was given to write to: numbers and
/// strings are any from here on, containers and records may hold anything more.
void Interpreter::forgetGiven(const Call &C) {
  for (size_t I = 0; I < C.Arguments.size() && I < C.Callee->getNumParams(); ++I) {
    QualType T = C.Callee->getParamDecl(I)->getType();
    if (T->isLValueReferenceType() || T->isPointerType())
      if (!T->getPointeeType().isConstQualified())
        forgetContent(C.Arguments[I]);
  }
  if (C.Self && C.Method && !C.Method->isConst() && get(C.Self).isObject())
    forgetContent(C.Self);
}

void Interpreter::forgetContent(CellId C, unsigned Depth) {
  const Value V = get(C);
  if (V.K == Value::Pointer) {
    if (Depth < 3)
      forgetContent(V.C, Depth + 1);
    return;
  }
  if (V.K == Value::Unknown || V.isKnownNumber()) {
    set(C, fresh());
    return;
  }
  if (!V.isObject() || Depth > 2)
    return;
  switch (P.Objects[V.O].K) {
  case Object::Record:
  case Object::Sequence:
  case Object::Map: {
    if (!P.Objects[V.O].Open || !P.Objects[V.O].External) {
      Object &O = P.Objects.edit(V.O);
      O.Open = O.External = true;
    }
    for (size_t I = 0; I < P.Objects[V.O].Elements.size(); ++I)
      forgetContent(P.Objects[V.O].Elements[I], Depth + 1);
    for (size_t I = 0; I < P.Objects[V.O].Fields.size(); ++I)
      forgetContent(P.Objects[V.O].Fields[I].second, Depth + 1);
    break;
  }
  default:
    break;
  }
}

/// Whether code that gets V can step or clear what is trained.
bool Interpreter::maySee(const Value &V, unsigned Depth) const {
  if (V.K == Value::Tensor)
    return V.T.T && Torch.S.Tensors[V.T.T].LeafRequiresGrad;
  if (V.K == Value::Pointer)
    return Depth < 6 && maySee(get(V.C), Depth + 1);
  if (!V.isObject() || Depth > 5)
    return false;
  const Object &O = P.Objects[V.O];
  if (O.K == Object::Module || O.K == Object::Optimizer)
    return true;
  for (CellId C : O.Elements)
    if (maySee(get(C), Depth + 1))
      return true;
  for (const auto &[N, C] : O.Fields)
    if (maySee(get(C), Depth + 1))
      return true;
  for (const auto &[D, C] : O.Captures)
    if (maySee(get(C), Depth + 1))
      return true;
  return false;
}

CellId Interpreter::notFollowed(Call &C, const std::string &Why) {
  std::vector<Operand> Operands;
  if (C.Self)
    for (const Operand &X : tensorsIn(get(C.Self)))
      Operands.push_back(X);
  for (CellId A : C.Arguments)
    for (const Operand &X : tensorsIn(get(A)))
      Operands.push_back(X);
  forgetGiven(C);
  bool ReturnsTensor = Kinds.isTensor(C.ResultType);
  if (isUser(C.Callee) || Why == "indirect call")
    for (size_t I = 0; I <= C.Arguments.size(); ++I)
      if (CellId A = I ? C.Arguments[I - 1] : C.Self; A && maySee(get(A)))
        Torch.S.TrainedElsewhere = true;
  if (ReturnsTensor || !Operands.empty())
    untracked(Why);
  // A function of LibTorch's knows no parameters but its operands.
  llvm::StringRef Q = C.Qualified;
  bool Pure = (Q.starts_with("torch::") || Q.starts_with("at::")) && !Q.contains("::jit::") &&
              (!C.Method || Kinds.kind(C.Method->getParent()) == ClassKind::Tensor);
  if (isUser(C.Callee))
    noteHandedOver(C);
  if (ReturnsTensor)
    return cell(Value::tensor(Torch.callUnknown(C.Name.str(), Operands, C.At, !Pure)));
  if (!Operands.empty() && C.ResultType->isRecordType()) {
    // Something that may hold what it was given.
    Value V = externalValue(C.ResultType, C.At, C.Name.str());
    return cell(V);
  }
  // The same question to the same unknown thing has the same answer.
  if (C.Method && C.Method->isConst() && C.Arguments.empty() && C.Self) {
    const Value Self = get(C.Self);
    if (Self.K == Value::Unknown && Self.Symbol)
      return cell(symbol(C.Name.str() + "@" + std::to_string(Self.Symbol)));
    if (Self.isObject() && P.Objects[Self.O].K == Object::Record && isNumberOrText(C.ResultType)) {
      std::string Question = C.Name.str() + "() -> " + C.ResultType.getAsString();
      if (auto Answer = P.Objects[Self.O].field(Question))
        return cell(get(*Answer));
      CellId Answer = cell(fresh());
      P.Objects.edit(Self.O).Fields.push_back({Question, Answer});
      return cell(get(Answer));
    }
  }
  return cell(externalValue(C.ResultType, C.At, C.Name.str()));
}

std::vector<CellId> Interpreter::arguments(const FunctionDecl *F, llvm::ArrayRef<const Expr *> Args,
                                           std::vector<const Expr *> *Written) {
  std::vector<CellId> Result;
  for (unsigned I = 0; I < Args.size(); ++I) {
    if (isa<CXXDefaultArgExpr>(Args[I]) && F && !isUser(F))
      continue; // defaults of library functions carry nothing and can be large trees
    bool Reference =
        !F || I >= F->getNumParams() || F->getParamDecl(I)->getType()->isReferenceType();
    Result.push_back(Reference ? lvalueOf(Args[I]) : cell(rvalue(Args[I])));
    if (Written)
      Written->push_back(Args[I]);
  }
  return Result;
}

CellId Interpreter::call(const CallExpr *E) {
  Call C;
  C.E = E;
  C.At = site(E);
  C.Discarded = DiscardedExpression == E;
  if (C.Discarded)
    Places[C.At.Number].Discarded = true;
  C.ResultType = E->getType();
  const Expr *Discarded = DiscardedExpression;
  DiscardedExpression = nullptr;
  struct Restore {
    const Expr *&Slot, *Old;
    ~Restore() { Slot = Old; }
  } Restorer{DiscardedExpression, Discarded};

  const FunctionDecl *F = E->getDirectCallee();
  std::vector<const Expr *> Args(E->getArgs(), E->getArgs() + E->getNumArgs());
  if (!F) {
    if (const auto *M = dyn_cast<CXXPseudoDestructorExpr>(E->getCallee()->IgnoreParens()))
      return evaluate(M->getBase()), cell();
    Value Callable = get(lvalueOf(E->getCallee()));
    return invoke(Callable, arguments(nullptr, Args), E->getType(), C.At);
  }
  C.Callee = F;
  C.Method = dyn_cast<CXXMethodDecl>(F);
  const Spelled &Names = spelled(F);
  C.Name = Names.Name;
  C.Qualified = Names.Qualified;
  C.Operator = F->getOverloadedOperator();

  if (const auto *M = dyn_cast<CXXMemberCallExpr>(E)) {
    if (const auto *ME = dyn_cast<MemberExpr>(M->getCallee()->IgnoreParens()))
      C.Self = ME->isArrow() ? dereference(rvalue(ME->getBase()),
                                           ME->getBase()->getType()->getPointeeType())
                             : lvalueOf(ME->getBase());
    C.Arguments = arguments(F, Args, &C.Written);
  } else if (isa<CXXOperatorCallExpr>(E) && C.Method && !C.Method->isStatic()) {
    llvm::ArrayRef<const Expr *> Rest = llvm::ArrayRef<const Expr *>(Args).drop_front();
    if (C.Operator == OO_Equal) { // C++17: the right operand first
      C.Arguments = arguments(F, Rest, &C.Written);
      C.Self = lvalueOf(Args[0]);
    } else {
      C.Self = lvalueOf(Args[0]);
      C.Arguments = arguments(F, Rest, &C.Written);
    }
  } else {
    C.Arguments = arguments(F, Args, &C.Written);
  }
  if (!isUser(F)) {
    noteReads(C);
    buffersWrittenBy(C);
  }
  CellId Result = dispatch(C);
  noteLostWrite(C);
  if (Kinds.isTensor(E->getType())) {
    ++Stats.TensorExpressions;
    const Value V = get(Result);
    if (V.K != Value::Tensor) {
      shape(Result, E->getType(), C.At);
    } else if (V.T.T && Torch.S.Tensors[V.T.T].Untracked) {
      ++Stats.Untracked;
    }
  }
  return Result;
}

CellId Interpreter::dispatch(Call &C) {
  const FunctionDecl *F = C.Callee;
  const CXXMethodDecl *M = C.Method;
  const CXXRecordDecl *Class = M ? M->getParent() : nullptr;
  ClassKind Kind = Kinds.kind(Class);

  if (C.Self && get(C.Self).K == Value::Pointer && !(Class && Kind == ClassKind::Tensor))
    C.Self = get(C.Self).C;
  if (F->isNoReturn() || C.Qualified == "exit" || C.Qualified == "std::exit" ||
      C.Qualified == "abort" || C.Qualified == "std::abort")
    throw ProgramException();
  if (std::optional<CellId> R = trainingCall(C))
    return *R;

  // Calls of closures and functions.
  if (C.Operator == OO_Call && C.Self && get(C.Self).isObject() &&
      P.Objects[get(C.Self).O].K == Object::Closure) {
    const Object O = P.Objects[get(C.Self).O];
    if (Class && Class->isLambda())
      return enter(F, O.This, C.Arguments, &O);
    return invoke(get(C.Self), C.Arguments, C.ResultType, C.At);
  }

  // The user's own code.
  bool Holder = Kind == ClassKind::ModuleHolder;
  if (isUser(F) && !Holder) {
    const FunctionDecl *Target = F;
    if (M && M->isVirtual() && C.Self && get(C.Self).isObject()) {
      const Object &O = P.Objects[get(C.Self).O];
      if (O.Class && O.Class->getDefinition() && O.Class != Class)
        if (const CXXMethodDecl *Final =
                const_cast<CXXMethodDecl *>(M)->getCorrespondingMethodInClass(
                    O.Class->getDefinition(), /*MayBeBase=*/true))
          Target = Final;
    }
    if (M && (M->isCopyAssignmentOperator() || M->isMoveAssignmentOperator()) &&
        !M->isUserProvided() && !C.Arguments.empty()) {
      keep(get(C.Arguments[0]), C.Self, C.At);
      set(C.Self, copy(get(C.Arguments[0])));
      return C.Self;
    }
    if (isa<CXXConversionDecl>(F) && Class && Class->isLambda())
      return C.Self;
    const FunctionDecl *Body = nullptr;
    if (Target->getBody(Body))
      return enter(Target, C.Self ? get(C.Self) : Value(), C.Arguments);
    return notFollowed(C, "function without a body here: " + C.Qualified);
  }

  switch (Kind) {
  case ClassKind::Tensor:
    if (C.Self && get(C.Self).K != Value::Tensor && get(C.Self).K != Value::Unknown &&
        !get(C.Self).isObject())
      set(C.Self, externalValue(C.ResultType, C.At, "tensor"));
    if (std::optional<CellId> R = tensorCall(C))
      return *R;
    return notFollowed(C, "tensor method: " + C.Name.str());
  case ClassKind::Module:
  case ClassKind::ModuleHolder:
    if (!C.Self && C.Name == "from_pretrained")
      return cell(pretrained(C));
    if (C.Self) {
      Value V = get(C.Self);
      if (C.Operator == OO_Arrow || C.Operator == OO_Star ||
          ((C.Name == "ptr" || C.Name == "get" || C.Name == "as") && C.Arguments.empty()))
        return C.Self;
      if (C.Operator == OO_Equal && !C.Arguments.empty()) {
        set(C.Self, get(C.Arguments[0]));
        keep(C.Self, C.At);
        return C.Self;
      }
      if (const auto *Conversion = dyn_cast<CXXConversionDecl>(M)) {
        if (Conversion->getConversionType()->isBooleanType())
          return cell(V.K == Value::Null ? Value::integer(0)
                      : V.isObject()     ? Value::integer(1)
                                         : fresh());
        return C.Self;
      }
      if (C.Name == "is_empty")
        return cell(Value::integer(V.K == Value::Null));
      if (V.isObject() && P.Objects[V.O].K == Object::Module)
        return moduleCall(C, V.O);
    }
    return notFollowed(C, "module of unknown origin: " + C.Qualified);
  default:
    break;
  }
  // `fc(x)` on a handle whose static class is a base or a pointer.
  if (C.Self && get(C.Self).isObject() && P.Objects[get(C.Self).O].K == Object::Module && M &&
      Kind != ClassKind::SmartPointer && Kind != ClassKind::Optional)
    return moduleCall(C, get(C.Self).O);
  if (std::optional<CellId> R = containerCall(C))
    return *R;
  if (!M)
    if (std::optional<CellId> R = standardFunction(C))
      return *R;
  if (std::optional<CellId> R = tensorCall(C))
    return *R;
  return notFollowed(C, "library function: " + C.Qualified);
}

CellId Interpreter::invoke(const Value &Callable, const std::vector<CellId> &Args, QualType Result,
                           Site At) {
  if (Callable.K == Value::Function && Callable.F) {
    const FunctionDecl *Body = nullptr;
    if (isUser(Callable.F) && Callable.F->getBody(Body))
      return enter(Callable.F, {}, Args);
    Call C;
    C.Callee = Callable.F;
    C.Method = dyn_cast<CXXMethodDecl>(Callable.F);
    const Spelled &Names = spelled(Callable.F);
    C.Name = Names.Name;
    C.Qualified = Names.Qualified;
    C.Arguments = Args;
    C.Written.resize(Args.size());
    C.At = At;
    C.ResultType = Result;
    if (!C.Method)
      return dispatch(C);
  }
  if (Callable.isObject() && P.Objects[Callable.O].K == Object::Closure) {
    const Object O = P.Objects[Callable.O];
    const FunctionDecl *F = O.Callee;
    if (O.Lambda && O.Lambda->isGenericLambda()) {
      // The instantiation called is not named at a type-erased call: take one that fits.
      if (FunctionTemplateDecl *T = O.Lambda->getDependentCallOperator())
        for (FunctionDecl *S : T->specializations())
          F = S;
    }
    if (F)
      return enter(F, O.This, Args, &O);
  }
  if (Callable.isObject() && P.Objects[Callable.O].K == Object::Module)
    return forward(Callable.O, Args, At, false, Result);
  if (Callable.isObject() && P.Objects[Callable.O].Class) {
    const CXXRecordDecl *R = P.Objects[Callable.O].Class;
    for (const CXXMethodDecl *M : R->methods())
      if (M->getOverloadedOperator() == OO_Call && isUser(M))
        return enter(M, Callable, Args);
  }
  untracked("indirect call");
  std::vector<Operand> Operands;
  for (CellId A : Args)
    Torch.S.TrainedElsewhere |= maySee(get(A));
  for (CellId A : Args)
    for (const Operand &X : tensorsIn(get(A)))
      Operands.push_back(X);
  if (Kinds.isTensor(Result))
    return cell(Value::tensor(Torch.callUnknown("indirect call", Operands, At, /*Opaque=*/true)));
  return cell(externalValue(Result, At, "call"));
}

CellId Interpreter::enter(const FunctionDecl *F, const Value &This, const std::vector<CellId> &Args,
                          const Object *Closure) {
  const FunctionDecl *Definition = nullptr;
  QualType ResultType = F->getReturnType();
  auto Unknown = [&](const char *Why) {
    untracked(Why);
    for (CellId A : Args)
      Torch.S.TrainedElsewhere |= maySee(get(A));
    Torch.S.TrainedElsewhere |= maySee(This);
    std::vector<Operand> Operands;
    for (CellId A : Args)
      for (const Operand &X : tensorsIn(get(A)))
        Operands.push_back(X);
    if (Kinds.isTensor(ResultType))
      return cell(Value::tensor(
          Torch.callUnknown(nameOf(F), Operands, site(F->getLocation()), /*Opaque=*/true)));
    return cell(externalValue(ResultType, site(F->getLocation()), nameOf(F)));
  };
  if (!F->getBody(Definition) || Definition->isDependentContext())
    return Unknown("function without a body here");
  constexpr unsigned MostFrames = 40, MostRecursion = 2;
  if (Current && Current->Depth > MostFrames)
    return Unknown("call depth");
  if (static_cast<unsigned>(std::count(Stack.begin(), Stack.end(), Definition)) > MostRecursion)
    return Unknown("recursion");

  Frame New;
  New.Function = Definition;
  New.This = This;
  New.Depth = Current ? Current->Depth + 1 : 0;
  New.Caller = Current;
  if (Closure)
    for (const auto &[D, C] : Closure->Captures)
      New.Variables[D] = C;
  Frame *Caller = Current;
  Current = &New;
  Stack.push_back(Definition);
  size_t Mark = Lives.size();
  const Expr *Discarded = DiscardedExpression;
  DiscardedExpression = nullptr;
  auto Leave = [&] {
    Stack.pop_back();
    Current = Caller;
    DiscardedExpression = Discarded;
  };
  try {
    for (unsigned I = 0; I < Definition->getNumParams(); ++I) {
      const ParmVarDecl *Param = Definition->getParamDecl(I);
      CellId C;
      if (Param->isParameterPack() && I < Args.size())
        C = Args[I];
      else if (I < Args.size())
        C = Param->getType()->isReferenceType() ? Args[I] : cell(get(Args[I]));
      else if (Param->hasDefaultArg() && !Param->hasUninstantiatedDefaultArg() &&
               !Param->hasUnparsedDefaultArg())
        C = lvalueOf(Param->getDefaultArg());
      else
        C = cell(externalValue(Param->getType(), site(Param->getLocation()),
                               Param->getNameAsString()));
      shape(C, Param->getType(), site(Param->getLocation()));
      New.Variables[Param] = C;
    }
    auto Run = [&] {
      if (const auto *Ctor = dyn_cast<CXXConstructorDecl>(Definition))
        initialise(Ctor, This);
      Flow F = execute(Definition->getBody());
      unwind(Mark);
      return F;
    };
    if (Caller && branches(Definition))
      explore(Definition, Region::Function, Run);
    else
      Run();
  } catch (...) {
    Leave();
    throw;
  }
  Leave();
  if (New.ResultUnknown)
    return cell(fresh());
  if (!New.Result)
    return cell();
  if (!ResultType->isReferenceType())
    shape(New.Result, ResultType, site(F->getLocation()));
  return New.Result;
}

/// Whether a function's own text decides anything.
bool Interpreter::branches(const FunctionDecl *F) {
  auto [It, New] = Branching.insert({F, false});
  if (!New)
    return It->second;
  bool Found = false;
  std::vector<const Stmt *> Work{F->getBody()};
  while (!Work.empty() && !Found) {
    const Stmt *S = Work.back();
    Work.pop_back();
    if (!S || isa<LambdaExpr>(S))
      continue;
    Found = isa<IfStmt, SwitchStmt, AbstractConditionalOperator, ForStmt, WhileStmt, DoStmt,
                CXXForRangeStmt, CXXTryStmt>(S);
    Work.insert(Work.end(), S->child_begin(), S->child_end());
  }
  return Branching[F] = Found;
}

//===--- construction ----------------------------------------------------------------------===//

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
        keep(C, site(Init), F->getName());
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
    int Score = 0;
    for (unsigned I = 0; I < Args.size(); ++I) {
      const Value &V = get(Args[I]);
      QualType T = C->getParamDecl(I)->getType().getNonReferenceType();
      bool Fits = V.K == Value::Integer    ? T->isIntegralOrEnumerationType()
                  : V.K == Value::Floating ? T->isFloatingType()
                  : V.K == Value::Tensor   ? Kinds.isTensor(T)
                  : V.isObject()           ? T->isRecordType() || T->isPointerType()
                                           : true;
      Score += Fits ? 2 : T->isArithmeticType() && V.isKnownNumber() ? 1 : -4;
    }
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

Value Interpreter::construct(const CXXConstructExpr *E) {
  const CXXConstructorDecl *Ctor = E->getConstructor();
  const CXXRecordDecl *R = Ctor->getParent();
  ClassKind Kind = Kinds.kind(R);
  llvm::ArrayRef<const Expr *> Written(E->getArgs(), E->getNumArgs());
  Site At = site(E);

  if (Ctor->isCopyOrMoveConstructor() && !Written.empty() &&
      (!isUser(Ctor) || !Ctor->isUserProvided())) {
    Value V = get(lvalueOf(Written[0]));
    if (Kind == ClassKind::Module && V.isObject()) {
      // A module object of its own with the same handles to tensors and submodules.
      return Ctor->isMoveConstructor() ? V : copyModule(V.O);
    }
    if (Ctor->isMoveConstructor() && V.isObject())
      P.Blobs.erase(V.O); // the memory lives on in the new container
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
  case ClassKind::String:
    return Args.empty() ? fresh() : get(Args[0]);
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
      if (V.isObject() && (P.Objects[V.O].K == Object::Sequence || P.Objects[V.O].K == Object::Map))
        return copy(V);
      if (V.isObject() && P.Objects[V.O].K == Object::Iterator &&
          !P.Objects[V.O].Elements.empty())
        return copy(get(P.Objects[V.O].Elements[0]));
    }
    Value S = Value::object(object(Kind == ClassKind::Map ? Object::Map : Object::Sequence));
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
  case ClassKind::Tuple: {
    Value T = Value::object(object(Object::Tuple));
    std::vector<CellId> Elements;
    if (Args.size() == 1 && get(Args[0]).isObject() &&
        P.Objects[get(Args[0]).O].K == Object::Tuple)
      return copy(get(Args[0]));
    for (CellId A : Args)
      Elements.push_back(cell(copy(get(A))));
    if (Args.empty())
      if (const auto *S = dyn_cast<ClassTemplateSpecializationDecl>(R)) {
        auto Add = [&](const TemplateArgument &A) {
          if (A.getKind() == TemplateArgument::Type)
            Elements.push_back(cell(defaultValue(A.getAsType())));
        };
        for (const TemplateArgument &A : S->getTemplateArgs().asArray()) {
          if (A.getKind() == TemplateArgument::Pack)
            for (const TemplateArgument &B : A.pack_elements())
              Add(B);
          else
            Add(A);
        }
      }
    P.Objects.edit(T.O).Elements = std::move(Elements);
    return T;
  }
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
