// Calls: which callee, with what, entered or answered by a model of the library.
#include "interpreter/Interpreter.h"

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
    if (const auto *B = dyn_cast<BinaryOperator>(E->getCallee()->IgnoreParens());
        B && B->isPtrMemOp()) { // (object.*method)(...)
      CellId Self = B->getOpcode() == BO_PtrMemI
                        ? dereference(rvalue(B->getLHS()), B->getLHS()->getType()->getPointeeType())
                        : lvalueOf(B->getLHS());
      const Value Method = rvalue(B->getRHS());
      std::vector<CellId> Given = arguments(nullptr, Args);
      Given.insert(Given.begin(), Self);
      return invoke(Method, Given, E->getType(), C.At);
    }
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
    if (DroppedFrom && C.Self)
      if (const auto *ME = dyn_cast<MemberExpr>(M->getCallee()->IgnoreParens());
          ME && ME->getBase()->IgnoreParenImpCasts() == DroppedFrom)
        DroppedCell = C.Self;
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
  std::shared_ptr<SelfUse> Self;
  std::shared_ptr<DroppedCall> Watched;
  if (!isUser(F)) {
    noteReads(C);
    buffersWrittenBy(C);
    Self = selfUse(C);
    noteReassigned(C);
  } else if (C.Discarded) {
    Watched = watchDropped(C);
  }
  CallingAt = C.At;
  const Site Before = std::exchange(CalledFrom, C.At);
  CellId Result = dispatch(C);
  CalledFrom = Before;
  noteLostWrite(C);
  noteLostElements(C);
  if (Self)
    noteSelfUse(*Self, C, Result);
  if (Watched)
    noteDropped(*Watched, C, Result);
  else if (C.Discarded && !isUser(F))
    noteDropped(C, Result);
  if (!isUser(F))
    noteKeptTwice(C, Result);
  if (Kinds.isTensor(E->getType())) {
    const Value V = get(Result);
    if (V.K != Value::Tensor)
      shape(Result, E->getType(), C.At);
    const bool Untracked = V.K == Value::Tensor && V.T.T && Torch.S.Tensors[V.T.T].Untracked;
    ++Stats.TensorExpressions;
    Stats.Untracked += Untracked;
    UntrackedAt[E->getExprLoc()] |= Untracked;
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
  if (C.Qualified == "exit" || C.Qualified == "std::exit" || C.Qualified == "abort" ||
      C.Qualified == "std::abort" || C.Qualified == "std::terminate" || C.Qualified == "_exit" ||
      C.Qualified == "std::quick_exit" || C.Qualified == "std::_Exit")
    throw ProgramException{ProgramException::Exit, {}, {}};
  if (F->isNoReturn()) {
    if (const FunctionDecl *Body = nullptr; isUser(F) && F->getBody(Body))
      enter(F, C.Self ? get(C.Self) : Value(), C.Arguments);
    bool Library = llvm::StringRef(C.Qualified).starts_with("c10::");
    throw ProgramException{Library ? ProgramException::Library : ProgramException::Unknown, {}, {}};
  }
  if (std::optional<CellId> R = trainingCall(C))
    return *R;
  if (llvm::StringRef(C.Qualified).starts_with("torch::autograd::Function") && C.Name == "apply")
    if (std::optional<CellId> R = customFunction(C))
      return *R;
  if (std::optional<CellId> R = autogradContextCall(C))
    return *R;
  if (!M)
    if (std::optional<CellId> R = packedSequence(C))
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
    if (M && C.Self)
      Target = overrider(M, get(C.Self));
    if (M && (M->isCopyAssignmentOperator() || M->isMoveAssignmentOperator()) &&
        !M->isUserProvided() && !C.Arguments.empty()) {
      const auto *Written = dyn_cast_or_null<CXXOperatorCallExpr>(C.E);
      keep(get(C.Arguments[0]), containerOf(Written ? Written->getArg(0) : nullptr, C.Self), C.At);
      set(C.Self, copy(get(C.Arguments[0])));
      copiedFrom(get(C.Self), C.At);
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
    const auto *Method = dyn_cast<CXXMethodDecl>(Callable.F);
    if (Method && !Method->isStatic() && !Args.empty() && isUser(Method)) {
      // A pointer to a member is called on its first argument.
      Value Self = get(Args[0]);
      if (Self.K == Value::Pointer)
        Self = get(Self.C);
      if (const FunctionDecl *Target = overrider(Method, Self); Target->getBody(Body))
        return enter(Target, Self, {Args.begin() + 1, Args.end()});
    } else if (isUser(Callable.F) && Callable.F->getBody(Body)) {
      return enter(Callable.F, {}, Args);
    }
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
    if (C.Method && !C.Method->isStatic() && !Args.empty()) {
      C.Self = Args[0];
      C.Arguments.erase(C.Arguments.begin());
      C.Written.pop_back();
    }
    if (!C.Method || C.Method->isStatic() || C.Self)
      return dispatch(C);
  }
  if (Callable.isObject() && P.Objects[Callable.O].K == Object::Closure &&
      !P.Objects[Callable.O].Elements.empty()) {
    // std::bind, std::bind_front: see callingFunction().
    const Object O = P.Objects[Callable.O];
    std::vector<CellId> Bound;
    for (size_t I = 1; I < O.Elements.size() && I < O.Keys.size(); ++I) {
      size_t Placeholder = static_cast<size_t>(O.Keys[I].I);
      if (!Placeholder)
        Bound.push_back(O.Elements[I]);
      else if (Placeholder <= Args.size())
        Bound.push_back(Args[Placeholder - 1]);
    }
    if (O.Name == "bind_front")
      Bound.insert(Bound.end(), Args.begin(), Args.end());
    return invoke(get(O.Elements[0]), Bound, Result, At);
  }
  if (Callable.isObject() && P.Objects[Callable.O].K == Object::Module)
    return forward(Callable.O, Args, At, false, Result);
  Value Owner;
  if (const FunctionDecl *F = callOperator(Callable, Args, Owner)) {
    const Object O = P.Objects[Owner.O];
    return O.K == Object::Closure ? enter(F, O.This, Args, &O) : enter(F, Owner, Args);
  }
  if (Callable.isObject() && P.Objects[Callable.O].Class && Args.size() == 2)
    if (CellId R = combined(P.Objects[Callable.O].Class->getName(), get(Args[0]), get(Args[1]), At))
      return R;
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

const FunctionDecl *Interpreter::overrider(const CXXMethodDecl *M, const Value &Self) const {
  if (!M->isVirtual() || !Self.isObject())
    return M;
  const CXXRecordDecl *R = P.Objects[Self.O].Class;
  if (R && R->getDefinition() && R != M->getParent())
    if (const CXXMethodDecl *Final = const_cast<CXXMethodDecl *>(M)->getCorrespondingMethodInClass(
            R->getDefinition(), /*MayBeBase=*/true))
      return Final;
  return M;
}

/// The operator() of a closure, or of a record of the user's, that fits the arguments best: which
/// one is called is not named behind a type-erased call. Owner: the closure or record it is of.
const FunctionDecl *Interpreter::callOperator(const Value &Callable,
                                              const std::vector<CellId> &Args,
                                              Value &Owner) const {
  const FunctionDecl *Best = nullptr;
  int BestScore = 0;
  auto Consider = [&](const FunctionDecl *F, const Value &Of) {
    if (!F || F->isDependentContext())
      return;
    bool Arity = F->getMinRequiredArguments() <= Args.size() && Args.size() <= F->getNumParams();
    int Score = resemblance(F, Args) - (Arity ? 0 : 100);
    if (!Best || Score >= BestScore) {
      Best = F;
      BestScore = Score;
      Owner = Of;
    }
  };
  auto Look = [&](const Value &V, auto &&Self, unsigned Depth) -> void {
    if (!V.isObject() || Depth > 4)
      return;
    const Object &O = P.Objects[V.O];
    if (O.K == Object::Closure) {
      if (O.Lambda && O.Lambda->isGenericLambda()) {
        if (FunctionTemplateDecl *T = O.Lambda->getDependentCallOperator())
          for (const FunctionDecl *S : T->specializations())
            Consider(S, V);
      } else {
        Consider(O.Callee, V);
      }
      return;
    }
    if (O.K != Object::Record || !O.Class || !isUser(O.Class) || !O.Class->hasDefinition())
      return;
    for (const Decl *D : O.Class->getDefinition()->decls()) {
      if (const auto *M = dyn_cast<CXXMethodDecl>(D); M && M->getOverloadedOperator() == OO_Call)
        Consider(M, V);
      if (const auto *T = dyn_cast<FunctionTemplateDecl>(D);
          T && T->getTemplatedDecl()->getOverloadedOperator() == OO_Call)
        for (const FunctionDecl *S : T->specializations())
          Consider(S, V);
    }
    for (const auto &[N, C] : O.Fields)
      if (llvm::StringRef(N).starts_with("base "))
        Self(get(C), Self, Depth + 1);
  };
  Look(Callable, Look, 0);
  return Best;
}

QualType Interpreter::returnType(const Value &Callable) const {
  const FunctionDecl *F = Callable.K == Value::Function ? Callable.F : nullptr;
  if (Callable.isObject())
    F = P.Objects[Callable.O].Callee;
  return F ? F->getReturnType().getNonReferenceType() : Context.VoidTy;
}

/// How often a function is being run already. Modules that hold modules of their own class are as
/// deep as the program built them: a call on another one of them comes to an end.
unsigned Interpreter::activations(const FunctionDecl *F, const Value &This) const {
  const bool OfModule = This.isObject() && P.Objects[This.O].K == Object::Module &&
                        !P.Objects[This.O].External && !isa<CXXConstructorDecl>(F);
  unsigned N = 0;
  for (const Frame *X = Current; X; X = X->Caller)
    N += X->Function == F && !(OfModule && X->This.isObject() && X->This.O != This.O);
  return N;
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
  constexpr unsigned MostFrames = 40;
  if (Current && Current->Depth > MostFrames)
    return Unknown("call depth");
  // Deep recursion is followed where a number that is known may end it; of calls that branch out,
  // as in walking a tree, only so many.
  constexpr unsigned MostRecursion = 1, MostCounted = 16;
  const unsigned Active = activations(Definition, This);
  if (Active == 0)
    DeepCalls.erase(Definition);
  if (Active > MostRecursion) {
    bool Counted = llvm::any_of(Args, [&](CellId A) { return get(A).K == Value::Integer; });
    if (!Counted || Active > MostCounted || ++DeepCalls[Definition] > MostCounted)
      return Unknown("recursion");
  }

  Frame New;
  New.Function = Definition;
  New.This = This;
  New.Depth = Current ? Current->Depth + 1 : 0;
  New.Caller = Current;
  New.CalledAt = CallingAt;
  New.OffForGood = Torch.S.GradModeOffForGood;
  New.InEval = P.InEval;
  const autograd::TrailPtr Calls = Torch.S.Calls;
  Torch.S.Calls = std::make_shared<const autograd::Trail>(
      autograd::Trail{CallingAt, Calls, Calls ? Calls->Depth + 1 : 1});
  if (Closure)
    for (const auto &[D, C] : Closure->Captures)
      New.Variables[D] = C;
  Frame *Caller = Current;
  Current = &New;
  auto Outer = Torch.Frame;
  Torch.Frame = std::make_shared<const autograd::CallFrame>(autograd::CallFrame{CalledFrom, Outer});
  size_t Mark = Lives.size();
  const Expr *Discarded = DiscardedExpression;
  DiscardedExpression = nullptr;
  const Expr *From = DroppedFrom;
  DroppedFrom = nullptr;
  auto Leave = [&] {
    Torch.Frame = Outer;
    Current = Caller;
    DiscardedExpression = Discarded;
    DroppedFrom = From;
    Torch.S.Calls = Calls;
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
    else if (Caller)
      remember(Definition, [&] { Run(); });
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

} // namespace torch_tidy::model
