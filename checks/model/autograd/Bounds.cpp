#include "autograd/Bounds.h"

#include "autograd/AbstractTorch.h"
#include "autograd/OperatorTraits.h"

#include <algorithm>
#include <cmath>

namespace torch_tidy::autograd {

namespace {

constexpr double Infinity = std::numeric_limits<double>::infinity();

/// Where an operator's results lie, whatever goes in.
struct Range {
  std::string_view Operator;
  Bounds Of;
};
constexpr Range Ranges[] = {
    {"sigmoid", {0, 1}},  {"Sigmoid", {0, 1}},     {"hardsigmoid", {0, 1}}, {"Hardsigmoid", {0, 1}},
    {"softmax", {0, 1}},  {"_softmax", {0, 1}},    {"Softmax", {0, 1}},     {"rand", {0, 1}},
    {"rand_like", {0, 1}}, {"bernoulli", {0, 1}},  {"one_hot", {0, 1}},     {"ones", {1, 1}},
    {"ones_like", {1, 1}}, {"zeros", {0, 0}},      {"zeros_like", {0, 0}},  {"zero", {0, 0}},
    {"new_ones", {1, 1}}, {"new_zeros", {0, 0}},   {"relu6", {0, 6}},       {"ReLU6", {0, 6}},
    {"tanh", {-1, 1}},    {"Tanh", {-1, 1}},       {"softsign", {-1, 1}},   {"Softsign", {-1, 1}},
    {"sin", {-1, 1}},     {"cos", {-1, 1}},        {"sign", {-1, 1}},       {"erf", {-1, 1}},
    {"normalize", {-1, 1}}, {"cosine_similarity", {-1, 1}}};

std::string_view plainName(const facts::OpFact &Op) {
  std::string_view Name = traitsOf(Op.Name).Name;
  Name = Name.substr(Name.rfind(':') + 1);
  if (Name.size() > 1 && Name.back() == '_')
    Name.remove_suffix(1);
  if (Name.ends_with("_out"))
    Name.remove_suffix(4);
  return Name;
}

bool isOneOf(std::string_view Name, std::initializer_list<std::string_view> List) {
  return std::find(List.begin(), List.end(), Name) != List.end();
}

/// The number given for an argument. None where it was left out, or is not a constant.
std::optional<double> constant(const BoundedCall &C, std::string_view Name) {
  for (size_t A = 0; A < C.Op.Arguments.size() && A < C.Arguments.size(); ++A)
    if (C.Op.Arguments[A].Name == Name)
      return C.Arguments[A].Constant;
  return std::nullopt;
}

bool isGiven(const BoundedCall &C, std::string_view Name) {
  for (size_t A = 0; A < C.Op.Arguments.size() && A < C.Arguments.size(); ++A)
    if (C.Op.Arguments[A].Name == Name)
      return C.Arguments[A].Given || C.Arguments[A].Constant || !C.Arguments[A].Tensors.empty();
  return false;
}

/// The interval that an operator presses its operand into. None: it is no such operator, or the limits
/// are not known.
std::optional<Bounds> limits(const BoundedCall &C, std::string_view Name) {
  if (isOneOf(Name, {"relu6", "ReLU6"}))
    return Bounds{0, 6};
  if (isOneOf(Name, {"relu", "ReLU"}))
    return Bounds{0, Infinity};
  for (std::string_view Limit : {"min", "max", "min_val", "max_val"})
    if (isGiven(C, Limit) && !constant(C, Limit))
      return std::nullopt;
  if (Name == "hardtanh" && C.Op.Arguments.size() > 2)
    return Bounds{constant(C, "min_val").value_or(-1), constant(C, "max_val").value_or(1)};
  if (!isOneOf(Name, {"clamp", "clip", "clamp_min", "clamp_max"}))
    return std::nullopt;
  return Bounds{constant(C, "min").value_or(-Infinity), constant(C, "max").value_or(Infinity)};
}

/// Whether a number among the arguments may make something negative of what is not. A lower bound
/// that is negative bounds nothing there.
bool numbersKeepSign(const BoundedCall &C) {
  for (size_t A = 0; A < C.Arguments.size(); ++A)
    if (C.Arguments[A].Constant && *C.Arguments[A].Constant < 0 &&
        !(A < C.Op.Arguments.size() && C.Op.Arguments[A].Name.starts_with("min")))
      return false;
  return true;
}

bool isEvenPower(const BoundedCall &C, std::string_view Name) {
  std::optional<double> Exponent = Name == "pow" ? constant(C, "exponent") : std::nullopt;
  return Exponent && std::fmod(*Exponent, 2) == 0;
}

/// A product or sum with one number.
std::optional<double> number(const BoundedCall &C) {
  if (C.Operands.size() != 1 || C.Arguments.size() < 2 || !C.Arguments[1].Tensors.empty())
    return std::nullopt;
  return C.Arguments[1].Constant;
}

} // namespace

Bounds hull(const Bounds &A, const Bounds &B) {
  return {std::min(A.Low, B.Low), std::max(A.High, B.High)};
}

Bounds boundsOf(const BoundedCall &C) {
  std::string_view Name = plainName(C.Op);
  const Traits &Trait = traitsOf(C.Op.Name);
  Bounds All;
  for (size_t I = 0; I < C.Operands.size(); ++I)
    All = I ? hull(All, C.Operands[I]) : C.Operands[I];
  if (std::optional<Bounds> L = limits(C, Name))
    return {std::clamp(All.Low, L->Low, std::max(L->Low, L->High)),
            std::clamp(All.High, std::min(L->Low, L->High), L->High)};
  for (const Range &R : Ranges)
    if (R.Operator == Name)
      return {std::max(R.Of.Low, Trait.KeepsSign && All.Low >= 0 ? 0.0 : R.Of.Low), R.Of.High};
  if (isOneOf(Name, {"full", "full_like", "new_full", "fill"}) && C.Arguments.size() > 1)
    for (std::string_view Value : {"fill_value", "value"})
      if (std::optional<double> V = constant(C, Value))
        return {*V, *V};
  if (Trait.PassesElements)
    return C.Operands.empty() ? Bounds() : All;
  bool NotNegative = Trait.NeverNegative || isEvenPower(C, Name) ||
                     (Name == "mul" && C.Operands.size() == 2 && C.Same) ||
                     (Trait.KeepsSign && !C.Operands.empty() && All.Low >= 0 && numbersKeepSign(C));
  return NotNegative ? Bounds{0, Infinity} : Bounds();
}

bool isIdentity(const BoundedCall &C) {
  std::string_view Name = plainName(C.Op);
  if (C.Operands.empty())
    return false;
  const Bounds &Old = C.Operands.front();
  if (std::optional<Bounds> L = limits(C, Name))
    return Old.within(*L);
  if (traitsOf(C.Op.Name).SameWhereNotNegative)
    return Old.Low >= 0;
  std::optional<double> N = number(C);
  bool Rounds = C.Arguments.size() > 2; // division may be told to
  return N && ((*N == 1 && !Rounds && isOneOf(Name, {"mul", "multiply", "div", "divide"})) ||
               (*N == 0 && isOneOf(Name, {"add", "sub", "subtract"})));
}

bool keepsSigns(const BoundedCall &C) {
  std::string_view Name = plainName(C.Op);
  if (std::optional<Bounds> L = limits(C, Name))
    return (L->Low < 0 || (L->Low == 0 && !C.Operands.empty() && C.Operands.front().Low >= 0)) && L->High > 0;
  if (isOneOf(Name, {"mul", "div", "multiply", "divide"}))
    return number(C).value_or(-1) > 0;
  return traitsOf(C.Op.Name).PassesSign;
}

const Bounds &AbstractTorch::boundsOf(TensorId T) const {
  return S.Storages[S.Tensors[T].Memory].Holds;
}

/// What is known of a new value.
void AbstractTorch::noteBounds(const facts::OpFact &Op, const std::vector<Argument> &Arguments,
                               const std::vector<std::vector<Operand>> &Results) {
  if (Results.empty())
    return;
  BoundedCall Call{Op, Arguments, {}};
  TensorId First;
  for (const Argument &A : Arguments)
    for (const Operand &X : A.Tensors)
      if (X.T) {
        Call.Same = Call.Operands.empty() || (Call.Same && X.T == First);
        First = Call.Operands.empty() ? X.T : First;
        Call.Operands.push_back(boundsOf(X.T));
      }
  const Bounds New = autograd::boundsOf(Call);
  for (const Operand &X : Results.front())
    if (X.T && S.Storages[S.Tensors[X.T].Memory].Writes.empty() && !(boundsOf(X.T) == New) &&
        std::none_of(Arguments.begin(), Arguments.end(), [&](const Argument &A) {
          return std::any_of(A.Tensors.begin(), A.Tensors.end(), [&](const Operand &Y) {
            return Y.T && S.Tensors[Y.T].Memory == S.Tensors[X.T].Memory;
          });
        }))
      S.Storages.edit(S.Tensors[X.T].Memory).Holds = New;
}

} // namespace torch_tidy::autograd
