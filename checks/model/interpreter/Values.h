// What the user's variables hold while their program is interpreted.
#pragma once

#include "autograd/AbstractTorch.h"

#include "clang/AST/DeclCXX.h"
#include "clang/AST/ExprCXX.h"
#include "clang/Basic/SourceLocation.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torch_tidy::model {

using autograd::Operand;
using autograd::Site;
using autograd::TensorId;

using CellId = autograd::Id<struct CellTag>;
using ObjectId = autograd::Id<struct ObjectTag>;

/// An rvalue. Objects and tensors are handles: copying a Value copies the handle; where C++ copies
/// the thing itself (records, containers) the interpreter copies the object.
struct Value {
  enum Kind : uint8_t {
    Unknown, ///< a number, bool, string ... that is not known; Symbol tells equal ones apart
    Integer, ///< integers, booleans, enumerators
    Floating,
    Null,
    Tensor,   ///< T; an invalid T.T is an undefined tensor
    Object,   ///< O; also pointers, holders and references to it
    Pointer,  ///< to the cell C
    Function, ///< F
    RawData,  ///< a pointer or accessor into the tensor T
  } K = Unknown;
  bool Negated = false; ///< Unknown: logical negation of Symbol
  /// Unknown: hash-consed; 0 is "any". Undefined tensor: why, see Interpreter::gradientOf.
  uint32_t Symbol = 0;
  int64_t I = 0;
  double D = 0;
  /// Tensor, RawData; for numbers: the tensor they were read from (item()), if any.
  Operand T;
  ObjectId O;
  CellId C;
  const clang::FunctionDecl *F = nullptr;
  Site Missing; ///< Tensor, undefined: where the gradient of a tensor that keeps none was asked for
  /// Numbers: the variable it was read from; Inverse: it is one divided by that one, whose content
  /// then was the interpreter's number Inverse - 1.
  CellId Variable;
  uint32_t Inverse = 0;
  clang::SourceLocation Written; ///< where a constant stands in the source
  Site Bound; ///< Tensor, module: where a member or element was given this handle

  static Value integer(int64_t I) {
    Value V;
    V.K = Integer;
    V.I = I;
    return V;
  }
  static Value floating(double D) {
    Value V;
    V.K = Floating;
    V.D = D;
    return V;
  }
  static Value null() {
    Value V;
    V.K = Null;
    return V;
  }
  static Value tensor(Operand T) {
    Value V;
    V.K = Tensor;
    V.T = T;
    return V;
  }
  static Value object(ObjectId O) {
    Value V;
    V.K = Object;
    V.O = O;
    return V;
  }
  static Value pointer(CellId C) {
    Value V;
    V.K = Pointer;
    V.C = C;
    return V;
  }
  bool isTensor() const { return K == Tensor; }
  bool isObject() const { return K == Object; }
  bool isKnownNumber() const { return K == Integer || K == Floating; }
  double number() const { return K == Integer ? static_cast<double>(I) : D; }
};

struct Object {
  enum Kind : uint8_t {
    Record,   ///< of a class of the user's, or of the library's without a model of its own
    Sequence, ///< vector, array, list, queue, initializer_list, ArrayRef
    Map,
    Tuple,    ///< pair, tuple
    Box,      ///< optional: Elements[0]
    Module,
    Optimizer,
    Closure,  ///< lambda, std::function, std::bind
    Guard,    ///< of grad mode, inference mode or autocast
    Options,
    Scaler,
    Iterator, ///< position in a container: see Note [Iterators]
  } K = Record;
  const clang::CXXRecordDecl *Class = nullptr;
  std::string Name; ///< library class: "Linear", "SGD", "NoGradGuard"
  std::vector<std::pair<std::string, CellId>> Fields; ///< members, options, captures by name
  std::vector<CellId> Elements;
  std::vector<Value> Keys; ///< Map: parallel to Elements
  bool Open = false;       ///< elements beyond the known ones
  bool Dead = false;       ///< destroyed
  bool External = false;   ///< came from outside: what it holds is not known
  int Position = 0;

  // Module
  std::vector<std::pair<std::string, CellId>> Parameters;
  std::vector<std::pair<std::string, CellId>> Buffers;
  std::vector<std::pair<std::string, Value>> Children;
  /// Of a library module: its tensor members (`fc->weight`). They start as the registered tensors;
  /// assigning to one leaves the registered one where it is.
  std::vector<std::pair<std::string, CellId>> Members;
  int Training = 1;    ///< 1, 0, or -1: not known
  bool Loaded = false; ///< weights came from a file
  bool Handled = false; ///< the program itself asked to train it, or zeroed or clipped its gradients
  Site EvalAt;            ///< eval() was called, and train() not since
  bool Evaluated = false; ///< it was used without gradients since then
  unsigned UsedInTraining = 0; ///< State::Backwards + 1 when it was last used in training mode

  // Optimizer
  std::vector<TensorId> Held;
  std::vector<ObjectId> Over; ///< modules whose parameters() it was built from
  Site Built, Stepped;

  /// Sequence: it holds all that parameters() of these modules gave.
  std::vector<ObjectId> ParametersOf;

  // Closure
  const clang::LambdaExpr *Lambda = nullptr;
  const clang::FunctionDecl *Callee = nullptr;
  std::vector<std::pair<const clang::ValueDecl *, CellId>> Captures;
  Value This;

  // Guard
  bool PreviousGradMode = true;
  Site PreviousGradModeOffAt;
  bool PreviousGradModeOffForGood = false;
  bool PreviousInferenceMode = false;
  bool PreviousAutocast = false;

  std::optional<CellId> field(std::string_view Name) const {
    for (const auto &[N, C] : Fields)
      if (N == Name)
        return C;
    return std::nullopt;
  }
};

} // namespace torch_tidy::model
