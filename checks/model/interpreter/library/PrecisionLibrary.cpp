// Mixed precision: the gradient scaler, scales written by hand, at::autocast.
#include "interpreter/Interpreter.h"

#include <algorithm>

using namespace clang;

namespace torch_tidy::model {

std::string Interpreter::contentOf(const Value &V) {
  if (V.isKnownNumber())
    return "d" + std::to_string(V.number());
  return (V.Negated ? "!s" : "s") + std::to_string(V.Symbol);
}

/// What a number, or a tensor that stands for one, multiplies by.
autograd::Factor Interpreter::factorFrom(const Value &V, Site At) {
  autograd::Factor F;
  F.At = At;
  if (V.K == Value::Tensor) {
    const autograd::Tensor &T = Torch.S.Tensors[V.T.T];
    if (T.History || T.LeafRequiresGrad || T.FromGradients || T.Untracked)
      return {};
    F.Variable = (1u << 30) | V.T.T.Value;
    F.Content = std::to_string(Torch.S.Storages[T.Memory].Writes.size());
    return F;
  }
  if (V.Variable)
    F.Variable = V.Variable.Value;
  if (V.Inverse) {
    F.Inverse = true;
    F.Content = InverseContents[V.Inverse - 1];
    return F;
  }
  if (V.isKnownNumber())
    F.Known = V.number();
  F.Content = contentOf(V);
  return F;
}

/// loss * scale, grad().div_(scale), grad() * (1 / scale).
void Interpreter::noteFactor(const Call &C, llvm::StringRef Operator, CellId Result) {
  std::vector<CellId> Operands = C.Arguments;
  if (C.Self)
    Operands.insert(Operands.begin(), C.Self);
  if (Operands.size() != 2 || get(Result).K != Value::Tensor || !get(Result).T.T)
    return;
  const Value Left = get(Operands[0]), Right = get(Operands[1]);
  if (Left.K != Value::Tensor || !Left.T.T || (Right.K == Value::Tensor && !Right.T.T))
    return;
  // A gradient that is multiplied by what was computed from gradients is clipped by hand.
  if (Operator.ends_with("_") && Right.T.T) {
    const TensorId Owner = Torch.S.Storages[Torch.S.Tensors[Left.T.T].Memory].GradientOf;
    const auto &Sources = Torch.S.Tensors[Right.T.T].FromGradients;
    if (Owner && Sources && std::binary_search(Sources->begin(), Sources->end(), Owner)) {
      Torch.clip({Torch.bind(Owner)}, C.At);
      return;
    }
  }
  autograd::Factor F = factorFrom(Right, C.At);
  F.Inverse ^= Operator.starts_with("div");
  if (!F)
    return;
  if (!Operator.ends_with("_")) {
    if (!Torch.S.Tensors[Left.T.T].Scale)
      Torch.S.Tensors.edit(get(Result).T.T).Scale = F;
    return;
  }
  const autograd::Tensor &T = Torch.S.Tensors[Left.T.T];
  if (TensorId Owner = Torch.S.Storages[T.Memory].GradientOf)
    Torch.rescaleGradient(Owner, F, C.At);
  else
    Torch.S.Tensors.edit(Left.T.T).Scale = T.Scale ? autograd::Factor() : F;
}

/// <torch_tidy/amp.h>, class GradScaler.
CellId Interpreter::scalerCall(Call &C) {
  llvm::StringRef N = C.Name;
  const Value First = C.Arguments.empty() ? Value() : get(C.Arguments[0]);
  const bool Known = C.Self && get(C.Self).isObject();
  const uint32_t Scaler = Known ? get(C.Self).O.Value : 0;
  autograd::Factor Scale;
  Scale.Variable = autograd::FirstScaler | Scaler;
  Scale.At = C.At;
  // One that was given options may be switched off, and raises nothing then.
  const bool Certain = Known && P.Objects[get(C.Self).O].K == Object::Scaler &&
                       !P.Objects[get(C.Self).O].External;
  if (N == "scale" && !C.Arguments.empty()) {
    const facts::OpFact *Mul = Facts.op("mul.Tensor");
    if (First.K != Value::Tensor || !First.T.T || !Mul)
      return C.Arguments[0];
    std::vector<autograd::Argument> Arguments(Mul->Arguments.size());
    Arguments[0].Tensors = {First.T};
    Arguments[1].Tensors = {Torch.bind(Torch.leaf(C.At, "scale", false))};
    auto R = Torch.call(*Mul, Arguments, C.At, {});
    checkThrown();
    if (R.empty() || R[0].empty())
      return C.Arguments[0];
    if (Certain)
      Torch.S.Tensors.edit(R[0][0].T).Scale = Scale;
    return cell(Value::tensor(R[0][0]));
  }
  enum { Ready, Unscaled, Stepped };
  if (N == "update") {
    bool Any = !C.Arguments.empty();
    for (auto It = P.ScalerStages.begin(); It != P.ScalerStages.end();)
      if (It->first.first == Scaler) {
        Any = true;
        It = P.ScalerStages.erase(It);
      } else {
        ++It;
      }
    if (!Any && Certain)
      Torch.misuseScaler("update() of a scaler that has unscaled and stepped nothing since the last",
                         C.At);
    ++Torch.S.Effects;
    checkThrown();
    return cell();
  }
  if ((N == "unscale_" || N == "step") && First.isObject() &&
      P.Objects[First.O].K == Object::Optimizer) {
    auto &[Stage, Before] = P.ScalerStages[{Scaler, First.O.Value}];
    if (Certain && Stage == Stepped)
      Torch.misuseScaler(N == "step" ? "a second step() of the scaler before update()"
                                     : "unscale_() after step() of the scaler",
                         C.At, Before);
    else if (Certain && Stage == Unscaled && N == "unscale_")
      Torch.misuseScaler("a second unscale_() before update()", C.At, Before);
    ++Torch.S.Effects;
    checkThrown();
    Scale.Inverse = true;
    if (Stage == Ready)
      for (TensorId T : std::vector<TensorId>(P.Objects[First.O].Held))
        Torch.rescaleGradient(T, Scale, C.At);
    Stage = N == "step" ? Stepped : Unscaled;
    Before = C.At;
    if (N == "step")
      stepOptimizer(First.O, C.At);
    return cell(fresh());
  }
  return cell(externalValue(C.ResultType, C.At, N.str()));
}

std::optional<CellId> Interpreter::autocastCall(Call &C) {
  llvm::StringRef N = C.Name;
  const Value Last = C.Arguments.empty() ? Value() : get(C.Arguments.back());
  if (N == "clear_cache") {
    Torch.clearCasts();
    return cell();
  }
  if (N == "increment_nesting")
    return cell(Value::integer(++Torch.S.AutocastNesting));
  if (N == "decrement_nesting")
    return cell(Value::integer(--Torch.S.AutocastNesting));
  if (N == "set_autocast_cache_enabled") {
    Torch.S.CastCache = known(Last).value_or(false);
    return cell();
  }
  // set_autocast_enabled(device, on), and its older spellings.
  if (N.starts_with("set_") && N.ends_with("enabled")) {
    Torch.S.Autocast = known(Last).value_or(false);
    if (Torch.S.Autocast)
      Torch.S.AutocastOn = C.At;
    ++Torch.S.Effects;
    return cell();
  }
  return cell(externalValue(C.ResultType, C.At, N.str()));
}

} // namespace torch_tidy::model
