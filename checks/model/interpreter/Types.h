// What kind of thing a C++ class is to the interpreter, by its qualified name.
#pragma once

#include "clang/AST/DeclCXX.h"
#include "clang/AST/Type.h"
#include "llvm/ADT/DenseMap.h"

#include <string>
#include <vector>

namespace torch_tidy::model {

enum class ClassKind : uint8_t {
  Other,
  Tensor,       ///< at::Tensor, at::TensorBase
  Scalar,       ///< c10::Scalar
  GradGuard,    ///< NoGradGuard, AutoGradMode, EnableGrad
  InferenceGuard,
  AutocastGuard,
  Module,       ///< derives from torch::nn::Module
  ModuleHolder, ///< derives from torch::nn::ModuleHolder<...>, or AnyModule
  Optimizer,
  Scaler,
  Step,         ///< torch_tidy::Step
  Options,      ///< ...Options of torch, TensorOptions
  Sequence,
  Map,
  Pair,
  Tuple,
  Optional,
  Variant,      ///< std::variant, std::any
  SmartPointer,
  Function,     ///< std::function
  ReferenceWrapper,
  Accessor,     ///< at::TensorAccessor and PackedTensorAccessor
  Iterator,
  TensorIndex,
  String,
};

class Types {
public:
  ClassKind kind(const clang::CXXRecordDecl *R) const;
  ClassKind kind(clang::QualType T) const; ///< of the class behind references (not pointers)

  bool isTensor(clang::QualType T) const { return kind(T) == ClassKind::Tensor; }

  /// The module implementation behind a holder class (TORCH_MODULE), or nullptr.
  const clang::CXXRecordDecl *holderImpl(const clang::CXXRecordDecl *R) const;
  /// The first class template argument of a specialisation, or a null type.
  static clang::QualType firstTemplateArgument(const clang::CXXRecordDecl *R);
  /// The type arguments of a specialisation, those of its packs among them.
  static std::vector<clang::QualType> typeArguments(const clang::CXXRecordDecl *R);
  /// std::unique_ptr: moved from, it is null.
  static bool isUniquePointer(const clang::CXXRecordDecl *R);
  static bool derivesFrom(const clang::CXXRecordDecl *R, llvm::StringRef QualifiedName);

private:
  ClassKind classify(const clang::CXXRecordDecl *R) const;
  mutable llvm::DenseMap<const clang::CXXRecordDecl *, ClassKind> Known;
};

} // namespace torch_tidy::model
