// Between which numbers the elements of a tensor are known to lie.
#pragma once

#include <limits>
#include <string_view>
#include <vector>

namespace torch_tidy::facts {
struct OpFact;
}

namespace torch_tidy::autograd {

struct Argument;

/// Every element lies in [Low, High], if it is a number at all.
struct Bounds {
  double Low = -std::numeric_limits<double>::infinity();
  double High = std::numeric_limits<double>::infinity();
  bool operator==(const Bounds &) const = default;
  bool within(const Bounds &Other) const { return Low >= Other.Low && High <= Other.High; }
};

/// What holds both: the elements of a list, the contents on two ways.
Bounds hull(const Bounds &A, const Bounds &B);

/// What an operator is called with, as far as it bounds the result.
struct BoundedCall {
  const facts::OpFact &Op;
  const std::vector<Argument> &Arguments;
  std::vector<Bounds> Operands; ///< of the tensors among the arguments
  bool Same = false;            ///< they are one and the same tensor
};

/// The bounds of the result of an operator, or of what its in-place form leaves.
Bounds boundsOf(const BoundedCall &Call);

/// Whether every element comes out as it went in: relu of what is not negative.
bool isIdentity(const BoundedCall &Call);

/// Whether every element keeps its sign, and zero stays zero.
bool keepsSigns(const BoundedCall &Call);

} // namespace torch_tidy::autograd
