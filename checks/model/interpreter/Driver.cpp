// A file without main is used as its user would use it: what a caller hands in is made up, functions
// and methods that nobody calls are called, modules are trained.
#include "interpreter/Interpreter.h"

using namespace clang;

namespace torch_tidy::model {

/// An object as a caller would construct it: with as few arguments as possible.
Value Interpreter::callerObject(const CXXRecordDecl *R, Site At) {
  R = R->getDefinition();
  const CXXConstructorDecl *Ctor = nullptr;
  for (const CXXConstructorDecl *C : R->ctors())
    if (!C->isCopyOrMoveConstructor() && !C->isDeleted() &&
        (!Ctor || C->getNumParams() < Ctor->getNumParams()))
      Ctor = C;
  std::vector<CellId> Args;
  if (Ctor)
    for (const ParmVarDecl *X : Ctor->parameters())
      if (!X->hasDefaultArg())
        Args.push_back(cell(callerValue(X->getType(), At, X->getNameAsString())));
  return makeUserObject(R, Ctor, Args);
}

/// What a caller would pass: modules with their parameters, tensors that need no gradient.
///
/// Note [A caller's module]
/// Of a Sequential, an AnyModule, an nn::Module& nothing is known but that it has parameters and that
/// its output depends on them and on its input. What it saves is not known, so a write to its output
/// or to its input is never reported; a path from the loss to its parameters that is cut, is.
Value Interpreter::callerValue(QualType T, Site At, const std::string &Name) {
  QualType Pointee = T.getNonReferenceType();
  if (Pointee->isPointerType())
    Pointee = Pointee->getPointeeType();
  const CXXRecordDecl *R = Pointee->getAsCXXRecordDecl();
  if (R && Kinds.kind(R) == ClassKind::SmartPointer)
    if (QualType Inner = Types::firstTemplateArgument(R); !Inner.isNull())
      R = Inner->getAsCXXRecordDecl();
  const ClassKind K = Kinds.kind(R);
  if (!R || (K != ClassKind::Module && K != ClassKind::ModuleHolder))
    return externalValue(T, At, Name);
  const CXXRecordDecl *Impl = K == ClassKind::ModuleHolder ? Kinds.holderImpl(R) : R;
  constexpr unsigned MostInside = 3; // a module that takes one of its own class
  if (Impl && isUser(Impl) && Impl->hasDefinition() && !Impl->getDefinition()->isAbstract() &&
      CallerObjects < MostInside) {
    ++CallerObjects;
    Value V = callerObject(Impl, At);
    --CallerObjects;
    return V;
  }
  if (Impl && !isUser(Impl)) {
    Value V = makeLibraryModule(Impl, {}, At);
    if (!P.Objects[V.O].Parameters.empty())
      return V; // a layer: Linear, Conv2d ...
  }
  ObjectId O = object(Object::Module, "module of the caller's");
  P.Objects.edit(O).External = true;
  TensorId Weight = Torch.leaf(At, Name + "->parameters()", true);
  Torch.S.Tensors.edit(Weight).IsParameter = true;
  P.Objects.edit(O).Parameters.push_back({"0", cell(Value::tensor(Torch.bind(Weight)))});
  return Value::object(O);
}

/// The optimizer that a caller passes along with modules holds their parameters.
void Interpreter::handOver(const std::vector<CellId> &Args, Site At) {
  std::vector<TensorId> Held;
  std::vector<ObjectId> Modules;
  for (CellId A : Args) {
    const Value V = get(A);
    if (!V.isObject() || P.Objects[V.O].K != Object::Module)
      continue;
    Modules.push_back(V.O);
    std::vector<std::pair<std::string, CellId>> All;
    parametersOf(V.O, All, "", false);
    for (const auto &[N, C] : All)
      if (Operand X = tensorOperand(C); X.T)
        Held.push_back(X.T);
  }
  for (CellId A : Args)
    if (const Value V = get(A); V.isObject() && P.Objects[V.O].K == Object::Optimizer) {
      P.Objects.edit(V.O).Held = Held;
      P.Objects.edit(V.O).Over = Modules;
      P.Objects.edit(V.O).Built = At;
      for (TensorId T : Held)
        Torch.holdParameter(T);
    }
}

void Interpreter::callRoot(const FunctionDecl *F) {
  Site At = site(F->getLocation());
  Value Self;
  if (const auto *M = dyn_cast<CXXMethodDecl>(F); M && !M->isStatic())
    Self = callerObject(M->getParent(), At);
  std::vector<CellId> Args;
  for (const ParmVarDecl *Param : F->parameters())
    Args.push_back(cell(callerValue(Param->getType(), At, Param->getNameAsString())));
  handOver(Args, At);
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
  Value Module = callerObject(R, At);
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
