// Guards, backward(), optimizers, the gradient scaler, and torch-tidy's own registration interface.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"

#include <cmath>

using namespace clang;

namespace torch_tidy::model {

//===--- guards ----------------------------------------------------------------------------===//

Value Interpreter::makeGuard(const CXXRecordDecl *R, const std::vector<CellId> &Args, Site At) {
  ObjectId O = object(Object::Guard, R->getNameAsString(), R);
  Object &G = P.Objects.edit(O);
  G.PreviousGradMode = Torch.S.GradMode;
  G.PreviousInferenceMode = Torch.S.InferenceMode;
  G.PreviousGradModeOffAt = Torch.S.GradModeOffAt;
  G.PreviousGradModeOffForGood = Torch.S.GradModeOffForGood;
  bool Before = Torch.S.GradMode;
  std::optional<bool> On = Args.empty() ? std::nullopt : known(get(Args[0]));
  ++Torch.S.Effects;
  switch (Kinds.kind(R)) {
  case ClassKind::GradGuard:
    if (R->getName() == "NoGradGuard")
      Torch.S.GradMode = false;
    else if (On)
      Torch.S.GradMode = *On;
    else if (!Args.empty())
      Torch.S.GradMode = decide(get(Args[0]), R);
    break;
  case ClassKind::AutocastGuard:
    G.PreviousAutocast = Torch.S.Autocast;
    Torch.S.Autocast = Args.size() < 3 || known(get(Args[2])).value_or(true);
    Torch.S.CastCache = Args.size() < 4 || known(get(Args[3])).value_or(true);
    break;
  case ClassKind::InferenceGuard: {
    bool Enabled = Args.empty() || On.value_or(true);
    Torch.S.InferenceMode = Enabled;
    Torch.S.GradMode = !Enabled;
    break;
  }
  default:
    break;
  }
  if (!Torch.S.GradMode && Torch.Repaired.count(At.Number))
    { // repaired: as if the guard were not there, or were a NoGradGuard
      Torch.S.GradMode = Before && Kinds.kind(R) != ClassKind::InferenceGuard;
      Torch.S.InferenceMode = G.PreviousInferenceMode;
    }
  if (Before && !Torch.S.GradMode) {
    Torch.S.GradModeOffAt = At;
    Torch.S.GradModeOffForGood = false;
  }
  return Value::object(O);
}

void Interpreter::releaseGuard(ObjectId Id) {
  if (P.Objects[Id].Dead)
    return;
  P.Objects.edit(Id).Dead = true;
  Torch.S.GradMode = P.Objects[Id].PreviousGradMode;
  Torch.S.InferenceMode = P.Objects[Id].PreviousInferenceMode;
  Torch.S.GradModeOffAt = P.Objects[Id].PreviousGradModeOffAt;
  Torch.S.GradModeOffForGood = P.Objects[Id].PreviousGradModeOffForGood;
  if (Kinds.kind(P.Objects[Id].Class) == ClassKind::AutocastGuard) {
    Torch.S.Autocast = P.Objects[Id].PreviousAutocast;
    if (!Torch.S.Autocast)
      Torch.clearCasts(); // the outermost guard clears the cache
  }
  ++Torch.S.Effects;
}

//===--- backward --------------------------------------------------------------------------===//

void Interpreter::backward(const Value &Root, bool Retain, Site At,
                           const autograd::AbstractTorch::Into &Where) {
  // Several roots are walked together, and the graph is freed behind them.
  const std::vector<Operand> Roots = tensorsIn(Root);
  for (size_t I = 0; I < Roots.size(); ++I) {
    Torch.backward(Roots[I], Retain || I + 1 < Roots.size(), At, Where);
    checkThrown();
  }
}

std::vector<TensorId> Interpreter::accumulateInto(const Value &Inputs) const {
  std::vector<TensorId> Only;
  for (const Operand &X : tensorsIn(Inputs))
    Only.push_back(X.T);
  return Only;
}

/// An exception of LibTorch's: the program unwinds.
void Interpreter::checkThrown() {
  if (Torch.thrown()) {
    Torch.catchException();
    throw ProgramException{ProgramException::Library, {}, {}};
  }
}

//===--- optimizers ------------------------------------------------------------------------===//

Value Interpreter::makeOptimizer(const CXXRecordDecl *R, const std::vector<CellId> &Args,
                                 Site At) {
  ObjectId O = object(Object::Optimizer, R->getNameAsString(), R);
  holdFrom(O, Args, At);
  Torch.madeOptimizer(O.Value, P.Objects[O].Held, At);
  return Value::object(O);
}

/// step(closure): whatever the mode outside, every optimizer switches grad mode on for its closure.
void Interpreter::computeLoss(const Value &Closure, Site At) {
  struct Mode {
    autograd::State &S;
    const bool Before = S.GradMode;
    ~Mode() { S.GradMode = Before; }
  } Restorer{Torch.S};
  Torch.S.GradMode = true;
  invoke(Closure, {}, Context.VoidTy, At);
}

void Interpreter::stepOptimizer(ObjectId O, Site At) {
  if (!P.Objects[O].Stepped)
    P.Objects.edit(O).Stepped = At;
  // Measured: SGD::step() in C++ writes through data() and does not bump the version; Adam, AdamW,
  // RMSprop and Adagrad do.
  Torch.step(P.Objects[O].Held, P.Objects[O].Name != "SGD", At, O.Value);
  checkThrown();
}

/// LibTorch 2 sets gradients to none unless told otherwise; 1.13 fills them with zeros.
void Interpreter::zeroGrad(const std::vector<TensorId> &Tensors, Site At, const Value &SetToNone) {
  bool None = SetToNone.isKnownNumber() ? SetToNone.number() != 0 : Facts.measuredOn().Major >= 2;
  Torch.zeroGrad(Tensors, None, At, ChosenArms > 0);
}

void Interpreter::keep(const Value &V, CellId Variable, Site At) {
  if (V.isObject() && P.Objects[V.O].K == Object::Closure)
    return;
  for (const Operand &X : tensorsIn(V))
    Torch.keep(X.T, Variable ? Variable.Value : ~0u, At);
}

//===--- torch_tidy::train -----------------------------------------------------------------===//

/// <torch_tidy/confirm.h>: train(model, optimizer, loss) or train(model, body of a step).
void Interpreter::trainLoop(const std::vector<CellId> &Args, Site At) {
  Value Optimizer, Callable;
  for (CellId A : Args) {
    const Value V = get(A);
    if (!V.isObject())
      continue;
    if (P.Objects[V.O].K == Object::Optimizer)
      Optimizer = V;
    if (P.Objects[V.O].K == Object::Closure)
      Callable = V;
  }
  if (!Callable.isObject()) {
    untracked("torch_tidy::train without a lambda");
    return;
  }
  for (int Round = 0; Round < 2; ++Round) {
    if (Optimizer.isObject()) {
      zeroGrad(P.Objects[Optimizer.O].Held, At);
      QualType T = P.Objects[Callable.O].Callee
                       ? P.Objects[Callable.O].Callee->getReturnType().getNonReferenceType()
                       : Context.VoidTy;
      CellId Loss = invoke(Callable, {}, T, At);
      // The place that a reader can point to is the loss itself.
      Site Here = P.Objects[Callable.O].Lambda ? site(P.Objects[Callable.O].Lambda) : At;
      backward(get(Loss), false, Here);
      stepOptimizer(Optimizer.O, Here);
    } else {
      ObjectId Step = object(Object::Record, "Step");
      invoke(Callable, {cell(Value::object(Step))}, Context.VoidTy, At);
    }
  }
}

//===--- dispatch --------------------------------------------------------------------------===//

std::optional<CellId> Interpreter::trainingCall(Call &C) {
  llvm::StringRef Q = C.Qualified, N = C.Name;
  auto Arg = [&](size_t I) { return I < C.Arguments.size() ? get(C.Arguments[I]) : Value(); };
  const CXXRecordDecl *Class = C.Method ? C.Method->getParent() : nullptr;
  ClassKind Kind = Kinds.kind(Class);

  if (Q.ends_with("GradMode::is_enabled"))
    return cell(Value::integer(Torch.S.GradMode));
  if (Q.ends_with("GradMode::set_enabled")) {
    if (!isUser(C.Callee)) {
      std::optional<bool> Known = known(Arg(0));
      bool On = Known ? *Known : decide(Arg(0), C.E);
      On |= Torch.Repaired.count(C.At.Number) != 0;
      if (Torch.S.GradMode && !On) {
        Torch.S.GradModeOffAt = C.At;
        Torch.S.GradModeOffForGood = true;
      }
      if (On)
        Torch.S.GradModeOwed = false;
      Torch.S.GradMode = On;
      ++Torch.S.Effects;
      return cell();
    }
  }
  if (Q.starts_with("at::autocast::"))
    return autocastCall(C);
  if (Q == "torch::autograd::backward") {
    bool Retain = (C.Arguments.size() > 2 && known(Arg(2)).value_or(false)) ||
                  (C.Arguments.size() > 3 && known(Arg(3)).value_or(false));
    backward(Arg(0), Retain, C.At, {true, accumulateInto(Arg(4))});
    return cell();
  }
  if (Q == "torch::autograd::grad") {
    // Gradients as values: the graph is walked, and what was asked for has them.
    bool Create = C.Arguments.size() > 4 && known(Arg(4)).value_or(false);
    bool Retain = Create || (C.Arguments.size() > 3 && known(Arg(3)).value_or(false));
    std::vector<Operand> Inputs = tensorsIn(Arg(1));
    std::vector<CellId> Elements;
    std::vector<Operand> Outputs = tensorsIn(Arg(0));
    for (size_t I = 0; I < Outputs.size(); ++I) {
      Torch.backward(Outputs[I], Retain || I + 1 < Outputs.size(), C.At,
                     autograd::AbstractTorch::Into{false, {}});
      checkThrown();
    }
    for (size_t I = 0; I < std::max<size_t>(Inputs.size(), 1); ++I)
      Elements.push_back(cell(Value::tensor(
          Torch.gradientValue(Outputs.empty() ? Operand() : Outputs[0],
                              I < Inputs.size() ? Inputs[I] : Operand(), Create, C.At))));
    ObjectId S = object(Object::Sequence);
    P.Objects.edit(S).Elements = std::move(Elements);
    return cell(Value::object(S));
  }
  if (Q == "torch::load" && Arg(0).isObject() && P.Objects[Arg(0).O].K == Object::Module)
    P.Objects.edit(Arg(0).O).Loaded = true;
  if (Q.starts_with("torch::nn::utils::clip_grad") && Arg(0).isObject())
    for (ObjectId M : std::vector<ObjectId>(P.Objects[Arg(0).O].ParametersOf))
      P.Objects.edit(M).Handled = true;
  if (Q.starts_with("torch::nn::utils::clip_grad")) {
    // Without a bound, clip_grad_norm_(p, infinity()), it only measures.
    const Value Bound = Arg(1);
    if (Bound.isKnownNumber() ? std::isfinite(Bound.number()) : C.Discarded)
      Torch.clip(tensorsIn(Arg(0)), C.At);
    return cell(externalValue(C.ResultType, C.At, N.str()));
  }
  if (Q == "torch::manual_seed" ||
      Q == "at::manual_seed" || Q == "torch::save" || Q == "torch::load" ||
      Q == "torch::set_num_threads" || Q == "at::set_num_threads" || Q == "torch::print")
    return cell(externalValue(C.ResultType, C.At, N.str()));

  if (Q.starts_with("torch_tidy::")) {
    if (Q == "torch_tidy::train") {
      trainLoop(C.Arguments, C.At);
      return cell();
    }
    if (Q == "torch_tidy::tap" && C.Arguments.size() >= 2)
      return C.Arguments[1];
    if (Q == "torch_tidy::device")
      return cell(fresh());
  }
  if (Class && Class->getName() == "OptimizerParamGroup" && N == "params" && C.Self &&
      get(C.Self).isObject())
    if (auto F = P.Objects[get(C.Self).O].field("params"))
      return *F;
  switch (Kind) {
  case ClassKind::Step:
    if (N == "backward") {
      backward(Arg(0), C.Arguments.size() > 1 && known(Arg(1)).value_or(false), C.At);
      return cell();
    }
    if (N == "update" || N == "step") {
      if (Arg(0).isObject() && P.Objects[Arg(0).O].K == Object::Optimizer)
        stepOptimizer(Arg(0).O, C.At);
      return cell(fresh());
    }
    if (N == "to" && !C.Arguments.empty())
      return C.Arguments[0];
    return cell(externalValue(C.ResultType, C.At, N.str()));
  case ClassKind::Scaler:
    return scalerCall(C);
  case ClassKind::Optimizer: {
    if (!C.Self || !get(C.Self).isObject())
      break;
    ObjectId O = get(C.Self).O;
    if (isUser(C.Callee)) { // an optimizer of the user's own
      if (N == "step" && P.Objects[O].K == Object::Optimizer && !P.Objects[O].Stepped)
        P.Objects.edit(O).Stepped = C.At;
      break;
    }
    if (P.Objects[O].K != Object::Optimizer)
      break;
    if (N == "step") {
      if (!C.Arguments.empty() && Arg(0).isObject()) {
        // LBFGS evaluates its closure several times and moves the weights in between.
        if (P.Objects[O].Name == "LBFGS") {
          computeLoss(Arg(0), C.At);
          stepOptimizer(O, C.At);
        }
        computeLoss(Arg(0), C.At);
      }
      stepOptimizer(O, C.At);
      return cell(externalValue(C.ResultType, C.At, "step"));
    }
    if (N == "zero_grad") {
      zeroGrad(P.Objects[O].Held, C.At, Arg(0));
      return cell();
    }
    if (N == "add_param_group" || N == "add_parameters") {
      holdFrom(O, C.Arguments, C.At);
      for (autograd::OptimizerRecord &R : Torch.S.Optimizers)
        if (R.Number == O.Value)
          R.Held = P.Objects[O].Held;
      return cell();
    }
    if (N == "parameters" || N == "param_groups") {
      std::vector<CellId> Elements;
      for (TensorId T : std::vector<TensorId>(P.Objects[O].Held))
        Elements.push_back(cell(Value::tensor(Torch.bind(T))));
      ObjectId S = object(Object::Sequence);
      P.Objects.edit(S).Elements = std::move(Elements);
      if (N == "parameters" || P.Objects[O].Held.empty())
        return N == "parameters" ? cell(Value::object(S))
                                 : cell(externalValue(C.ResultType, C.At, N.str()));
      // One group stands for all of them.
      ObjectId Group = object(Object::Record, "OptimizerParamGroup");
      CellId Params = cell(Value::object(S));
      P.Objects.edit(Group).Fields.push_back({"params", Params});
      P.Objects.edit(Group).External = true;
      ObjectId Groups = object(Object::Sequence);
      CellId One = cell(Value::object(Group));
      P.Objects.edit(Groups).Elements.push_back(One);
      return cell(Value::object(Groups));
    }
    return cell(externalValue(C.ResultType, C.At, N.str()));
  }
  default:
    break;
  }
  return std::nullopt;
}

} // namespace torch_tidy::model
