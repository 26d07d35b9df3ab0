// What LibTorch's operators and modules do to autograd, as measured on an installed LibTorch by
// generate.py in this folder. No LLVM and no LibTorch here: plain tables.
//
// Strings in these structures live as long as the program (they point into the embedded tables).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torch_tidy::facts {

/// "The gradient with respect to one input needs this value": the unit of what an operation saves.
/// An operation that runs in grad mode saves the union over its inputs that require grad. So
/// mul(a, b) has {GradientOf a, Input b} and {GradientOf b, Input a}: multiplying by a constant
/// does not save the value that is multiplied. An argument that is written but not returned
/// (_foreach_exp_'s, rrelu_with_noise's noise) is saved as it stands after the write.
struct Saved {
  enum Kind : uint8_t { Input, Output, Parameter };
  int GradientOf; ///< argument index; for modules: -1 - i means parameter i
  Kind What;
  int Index; ///< argument, output or parameter index
  /// False: only with some shapes or options (the mean that AdaptiveAvgPool2d(1) runs saves
  /// nothing, its other sizes save the input).
  bool Always = true;
};

enum class Differentiable : uint8_t {
  Yes,
  No,   ///< the graph ends here: the result never requires grad (argmax, comparisons, detach)
  Zero, ///< the result has a graph, its gradient is zero everywhere (round, sign, zeros-like fills)
};

struct OpFact {
  struct Argument {
    std::string_view Name;
    std::string_view Type; ///< schema type without alias annotation: Tensor, Tensor?, Tensor[],
                           ///< Scalar, int, SymInt, float, bool, int[], str, ScalarType? ...
    bool Mutated = false;  ///< its content is written in place
    bool Optional = false; ///< has a default
    bool Bumped = false;   ///< its version counter goes up (t_() bumps and writes no content)
    /// Its content is overwritten without the version counter noticing and without the schema
    /// saying so: the running statistics of batch_norm, rrelu's noise.
    bool WrittenQuietly = false;
  };
  struct Output {
    enum Relation : uint8_t {
      Fresh,
      SameAs, ///< the very tensor of argument Argument (in-place and out= forms)
      ViewOf, ///< shares storage and version counter with argument Argument
      MaybeView, ///< view or copy, depending on sizes, strides, dtype (reshape, contiguous, to)
    } Kind = Fresh;
    int Argument = -1;
    Differentiable Diff = Differentiable::Yes;
    bool MultiView = false; ///< one of several views of one base (unbind, chunk, split): in-place
                            ///< modification in grad mode throws
    bool List = false;      ///< Tensor[]
    /// Shares storage with the argument but not its version counter (unsafe_chunk, _unsafe_view).
    bool OwnCounter = false;
  };
  std::string_view Name; ///< schema name with overload: "mul_.Tensor", "relu"
  std::vector<Argument> Arguments;
  std::vector<Output> Outputs;
  std::vector<Saved> Saves;
  bool Known = true; ///< false: schema only; what it saves could not be measured
  /// The out= form: in grad mode it throws if an input or the tensor written requires grad.
  bool OutForm = false;
};

/// One C++ spelling of an operator.
struct Spelling {
  enum Kind : uint8_t {
    Method,     ///< at::Tensor::name; argument 0 of the operator is the object
    Function,   ///< at::name, torch::name, torch::special::name, ... (Name holds "linalg_norm" for
                ///< torch::linalg::norm as ATen does)
    Functional, ///< torch::nn::functional::name
  };
  std::string_view Name;
  std::vector<std::string_view> Parameters; ///< parameter types in normal form, see normalForm()
  const OpFact *Op = nullptr;
  /// For each C++ parameter: the operator's argument it feeds, or -1 (options struct, out tensor of
  /// a form with another order is mapped too).
  std::vector<int> ArgumentOf;
  /// The options parameter (or bool parameter) that switches the operation to in-place: its
  /// position, or -1. A set `inplace` turns Op into InPlaceOp.
  int InPlaceParameter = -1;
  const OpFact *InPlaceOp = nullptr;
};

/// A library module (torch::nn::Linear and its siblings).
struct ModuleFact {
  std::string_view Name; ///< the implementation class without "Impl": "Linear", "BatchNorm2d"
  struct Member {
    std::string_view Name;       ///< "weight", "running_mean"
    std::string_view OptionName; ///< the option that decides on its presence (a flag; for a loss
                                 ///< the tensor itself), or empty
    bool Default = true;         ///< present when the option is not given
  };
  std::vector<Member> Parameters;
  std::vector<Member> Buffers;
  bool WritesBuffersInTraining = false; ///< BatchNorm's running statistics
  bool InPlaceOption = false;           ///< has `inplace`
  bool IdentityInEval = false;          ///< returns its argument itself in eval mode (Dropout)
  int Inputs = 1;
  /// Shape of what forward returns: "Tensor", "(Tensor,Tensor)", "(Tensor,(Tensor,Tensor))".
  std::string_view Returns;
  OpFact::Output::Relation Output = OpFact::Output::Fresh; ///< Flatten, Identity: view of / same as input 0
  std::vector<Saved> SavesInTraining;
  std::vector<Saved> SavesInEval;
  std::vector<Saved> SavesInPlace; ///< what it saves when inplace(true) (its result, or nothing)
  /// Positions of the buffers that are saved for backward (BatchNorm's running statistics).
  std::vector<int> BuffersSavedInTraining;
  std::vector<int> BuffersSavedInEval;
  bool Known = true;
};

struct Version {
  int Major = 0, Minor = 0, Patch = 0;
  auto operator<=>(const Version &) const = default;
};
std::string toString(Version V); ///< "2.15.0"

/// The tables of one LibTorch version.
class FactTable {
public:
  /// The table measured on V, or on the nearest version: one of the same minor version (a patch
  /// release changes no operator, and Debian's 1.13.1 calls itself 1.13.0 in its headers), else the
  /// newest not newer than V, else the oldest. Never fails. measuredOn() tells which it is, fits()
  /// whether it is of V's minor version. Parsed once per version, thread-safe.
  static const FactTable &forVersion(Version V);
  static std::vector<Version> versions(); ///< shipped tables, ascending

  Version measuredOn() const { return Measured; }
  bool fits(Version V) const { return V.Major == Measured.Major && V.Minor == Measured.Minor; }

  /// An operator by schema name ("mul_.Tensor"), or nullptr.
  const OpFact *op(std::string_view Name) const;

  /// The spelling whose parameter types equal Parameters; failing that, the only one of that name
  /// and arity; failing that, the only one whose parameters all accept Parameters (an int or float
  /// where a Scalar stands); failing that, the one that agrees in the most positions, provided that
  /// all candidates of that arity mutate and save the same; else nullptr.
  const Spelling *spelling(Spelling::Kind Kind, std::string_view Name,
                           const std::vector<std::string_view> &Parameters) const;

  /// All spellings of a name, for tests and for `explain`.
  std::vector<const Spelling *> spellings(Spelling::Kind Kind, std::string_view Name) const;

  /// By implementation class name with or without "Impl"; nullptr if there is no such module.
  const ModuleFact *module(std::string_view Name) const;

  const std::vector<OpFact> &ops() const { return Ops; }
  const std::vector<ModuleFact> &modules() const { return Modules; }

private:
  FactTable() = default;
  Version Measured;
  std::vector<OpFact> Ops;
  std::vector<Spelling> Spellings;
  std::vector<ModuleFact> Modules;
  struct Index;
  const Index *Lookup = nullptr;
  friend struct TableReader;
};

/// The normal form of a C++ parameter type as it is written in LibTorch's headers or printed by a
/// compiler: "const at::Tensor &" -> "Tensor", "at::IntArrayRef" / "c10::ArrayRef<int64_t>" /
/// "at::OptionalIntArrayRef" -> "int[]", "c10::SymInt" -> "int", "::std::optional<at::Scalar>" /
/// "c10::optional<...>" -> "Scalar", "at::TensorList" / "const ITensorListRef &" -> "Tensor[]",
/// "at::ArrayRef<at::indexing::TensorIndex>" -> "index". Optionality and references are dropped,
/// since a caller's argument type alone is known from them.
std::string normalForm(std::string_view CxxType);

} // namespace torch_tidy::facts
