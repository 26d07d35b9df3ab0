// What the fact tables do not say of an operator and a human reads off its formula: whether it is
// a product, is flat at zero, overwrites, or merely shifts.
#pragma once

#include <string_view>

namespace torch_tidy::autograd {

struct Traits {
  std::string_view Name;         ///< without overload: "mul_"
  bool Multiplicative = false;   ///< linear in each of its tensor factors
  bool ScalarFactor = false;     ///< ... and in a scalar one: mul(x, 0) is zero
  bool FlatAtZero = false;       ///< derivative is zero where the argument is zero
  bool KeepsZero = false;        ///< maps zero to zero
  bool NeedsShapesOnly = false;  ///< of what it saved as input, its derivative asks for the sizes
  bool NeedsSignsOnly = false;   ///< of what it saved, its derivative asks for the signs
  bool NeverNegative = false;    ///< its result is not, whatever goes in
  bool KeepsSign = false;        ///< its result is not where no argument is
  bool PassesSign = false;       ///< element by element, its result has the sign of its argument
  bool PassesElements = false;   ///< its result's elements are some of its arguments', or means of them
  bool SameWhereNotNegative = false; ///< the identity on what is not: relu after relu
  bool Overwrites = false;       ///< in-place: the old content does not enter the new one
  bool ShiftOnly = false;        ///< in-place: adds its operand, so the Jacobian is the identity
  bool UsuallyCopies = false;    ///< a "maybe view" that users call to copy (to, contiguous, ...)
  bool SelectsPart = false;      ///< a view of a part, which part is not known
  bool IntegralResult = false;   ///< argmax and the like
  bool Sums = false;             ///< adds its operands, each with a constant factor
  bool PassesSum = false;        ///< linear in its one operand
  bool Scales = false;           ///< a product or quotient, element by element
  bool Reduces = false;          ///< gives one element, unless it is told a dimension
  bool Enlarges = false;         ///< may give more elements than its operands have
  bool CopiesElements = false;   ///< a copy of some or all elements of its first argument
  bool TakesShape = false;       ///< of its tensor it takes shape and dtype alone
  bool KeepsPositivePart = false; ///< the identity on positive numbers, and never positive elsewhere
  bool ReadsPositivePart = false; ///< what is not positive makes no difference to it
  bool FillsEvenly = false;      ///< all elements of its result are one number
  bool IgnoresShift = false;     ///< one number more in all elements makes no difference to it
  bool SavesViews = false;       ///< what it saves of its weights are views made inside of it
};

/// By schema name, with or without overload.
const Traits &traitsOf(std::string_view SchemaName);

} // namespace torch_tidy::autograd
