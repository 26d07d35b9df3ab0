// Running a root: one path at a time, from the start, under a prefix of decisions.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"

using namespace clang;

namespace torch_tidy::model {

Interpreter::PathResult Interpreter::run(llvm::function_ref<void()> Body, const Path &Prefix,
                                         const std::set<uint32_t> &Repaired) {
  P = ProgramState();
  Torch.S = autograd::State();
  Torch.Repaired = Repaired;
  Torch.forgetReads();
  TemporaryRanges.clear();
  Torch.startRepairs();
  Torch.catchException();
  Symbols.clear();
  Lives.clear();
  Stack.clear();
  Current = nullptr;
  DiscardedExpression = nullptr;
  Steps = 0;
  UndecidedArms = ChosenArms = TryDepth = 0;
  Exploration Top;
  Top.Prefix = Prefix;
  Exploring = &Top;
  RegionsCut = NotAllCombinations = false;
  Repairing = !Repaired.empty();
  PeriodicSymbols.clear();
  InverseContents.clear();

  // Where the host does not say where the errors are, there may be holes anywhere.
  Torch.S.OpaqueBackward =
      Options.Errors.empty() && Context.getDiagnostics().hasUncompilableErrorOccurred();

  PathResult R;
  bool Ended = false;
  try {
    Body();
    Ended = true;
  } catch (ProgramException &) {
  } catch (PathEnd &) {
    R.BudgetHit = Steps > Options.StepBudget;
  }
  Current = nullptr;
  Exploring = nullptr;
  Torch.judgeTraining(Ended);
  // After an exception nobody can say which gradients the rest would have given.
  if (Ended) {
    Torch.finish();
    judgeIdentity();
  }
  R.Reached = Torch.reachedParameters();
  R.Defects = std::move(Torch.S.Defects);
  R.Acquitted = std::move(Torch.S.Acquitted);
  R.ReachedBackward = Torch.S.Backwards > 0;
  R.RegionsCut = RegionsCut;
  R.NotAllCombinations = NotAllCombinations;
  flip(Top, R.Others);
  R.Taken = std::move(Top.Taken);
  Stats.Steps += Steps;
  ++Stats.Runs;
  return R;
}

void Interpreter::callRoot(const FunctionDecl *F) {
  std::vector<CellId> Args;
  std::vector<TensorId> Held;
  std::vector<ObjectId> Modules;
  Site At = site(F->getLocation());
  Value Self;
  if (const auto *M = dyn_cast<CXXMethodDecl>(F); M && !M->isStatic())
    Self = makeUserObject(M->getParent(), chooseConstructor(M->getParent(), {}), {});
  for (const ParmVarDecl *Param : F->parameters()) {
    QualType T = Param->getType().getNonReferenceType();
    if (T->isPointerType())
      T = T->getPointeeType();
    const CXXRecordDecl *R = T->getAsCXXRecordDecl();
    if (R && Kinds.kind(R) == ClassKind::SmartPointer)
      if (QualType Inner = Types::firstTemplateArgument(R); !Inner.isNull())
        R = Inner->getAsCXXRecordDecl();
    Value V;
    ClassKind K = Kinds.kind(R);
    bool IsModule = R && (K == ClassKind::Module || K == ClassKind::ModuleHolder);
    const CXXRecordDecl *Impl = K == ClassKind::ModuleHolder ? Kinds.holderImpl(R) : R;
    if (IsModule && Impl && isUser(Impl) && Impl->hasDefinition() &&
        !Impl->getDefinition()->isAbstract()) {
      // A module: what a caller would construct.
      const CXXConstructorDecl *Ctor = nullptr;
      for (const CXXConstructorDecl *C : Impl->getDefinition()->ctors())
        if (!C->isCopyOrMoveConstructor() && (!Ctor || C->getNumParams() < Ctor->getNumParams()))
          Ctor = C;
      std::vector<CellId> CtorArgs;
      if (Ctor)
        for (const ParmVarDecl *X : Ctor->parameters())
          if (!X->hasDefaultArg())
            CtorArgs.push_back(cell(externalValue(X->getType(), At, X->getNameAsString())));
      V = makeUserObject(Impl, Ctor, CtorArgs);
      std::vector<std::pair<std::string, CellId>> All;
      if (V.isObject()) {
        Modules.push_back(V.O);
        parametersOf(V.O, All, "", false);
      }
      for (const auto &[N, C] : All)
        if (Operand X = tensorOperand(C); X.T)
          Held.push_back(X.T);
    } else {
      V = externalValue(Param->getType(), At, Param->getNameAsString());
    }
    Args.push_back(cell(V));
  }
  for (CellId A : Args)
    if (const Value V = get(A); V.isObject() && P.Objects[V.O].K == Object::Optimizer) {
      P.Objects.edit(V.O).Held = Held; // a caller's optimizer holds the caller's modules
      P.Objects.edit(V.O).Over = Modules;
      P.Objects.edit(V.O).Built = At;
      for (TensorId T : Held)
        Torch.holdParameter(T);
    }
  enter(F, Self, Args);
}

void Interpreter::trainModule(const CXXRecordDecl *R) {
  R = R->getDefinition();
  Site At = site(R->getLocation());
  const CXXMethodDecl *Forward = nullptr;
  for (const CXXMethodDecl *M : R->methods())
    if (M->getDeclName().isIdentifier() && M->getName() == "forward" && M->hasBody())
      Forward = M;
  if (!Forward)
    return;
  const CXXConstructorDecl *Ctor = nullptr;
  for (const CXXConstructorDecl *C : R->ctors())
    if (!C->isCopyOrMoveConstructor() && !C->isDeleted() &&
        (!Ctor || C->getNumParams() < Ctor->getNumParams()))
      Ctor = C;
  std::vector<CellId> CtorArgs;
  if (Ctor)
    for (const ParmVarDecl *X : Ctor->parameters())
      if (!X->hasDefaultArg())
        CtorArgs.push_back(cell(externalValue(X->getType(), At, X->getNameAsString())));
  Value Module = makeUserObject(R, Ctor, CtorArgs);
  if (!Module.isObject())
    return;
  std::vector<std::pair<std::string, CellId>> All;
  parametersOf(Module.O, All, "", false);
  std::vector<TensorId> Held;
  for (const auto &[N, C] : All)
    if (Operand X = tensorOperand(C); X.T) {
      Held.push_back(X.T);
      Torch.holdParameter(X.T);
    }
  // The optimizer of whoever uses the module: over what it registers.
  ObjectId Optimizer = object(Object::Optimizer, "SGD");
  P.Objects.edit(Optimizer).Held = Held;
  P.Objects.edit(Optimizer).Over = {Module.O};
  Site Body = site(Forward->getLocation());
  P.Objects.edit(Optimizer).Built = P.Objects.edit(Optimizer).Stepped = Body;
  const facts::OpFact *Sum = Facts.op("sum"), *Add = Facts.op("add.Tensor");
  if (!Sum || !Add)
    return;
  for (int Step = 0; Step < 2; ++Step) {
    std::vector<CellId> Args;
    for (const ParmVarDecl *X : Forward->parameters()) {
      if (X->hasDefaultArg())
        break;
      Args.push_back(cell(externalValue(X->getType(), Body, X->getNameAsString())));
    }
    zeroGrad(Held, Body);
    CellId Out = enter(Forward, Module, Args);
    Operand Loss;
    for (const Operand &X : tensorsIn(get(Out))) {
      if (!Torch.requiresGrad(X.T))
        continue;
      std::vector<autograd::Argument> A(1);
      A[0].Tensors = {X};
      auto S = Torch.call(*Sum, A, Body, {});
      if (S.empty() || S[0].empty())
        continue;
      if (!Loss.T) {
        Loss = S[0][0];
        continue;
      }
      std::vector<autograd::Argument> Two(2);
      Two[0].Tensors = {Loss};
      Two[1].Tensors = {S[0][0]};
      if (auto T = Torch.call(*Add, Two, Body, {}); !T.empty() && !T[0].empty())
        Loss = T[0][0];
    }
    if (!Loss.T)
      return;
    Torch.backward(Loss, false, Body);
    checkThrown();
    Torch.step(Held, true, Body);
    checkThrown();
  }
}

} // namespace torch_tidy::model
