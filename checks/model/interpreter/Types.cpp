#include "interpreter/Types.h"

#include "clang/AST/DeclTemplate.h"

using namespace clang;

namespace torch_tidy::model {

namespace {
ClassKind lookUp(llvm::StringRef Name,
                 std::initializer_list<std::pair<llvm::StringRef, ClassKind>> Table) {
  for (const auto &[N, K] : Table)
    if (N == Name)
      return K;
  return ClassKind::Other;
}
} // namespace

bool Types::isUniquePointer(const CXXRecordDecl *R) {
  return R && R->isInStdNamespace() && R->getIdentifier() && R->getName() == "unique_ptr";
}

bool Types::derivesFrom(const CXXRecordDecl *R, llvm::StringRef QualifiedName) {
  if (!R || !R->hasDefinition())
    return false;
  R = R->getDefinition();
  if (R->getQualifiedNameAsString() == QualifiedName)
    return true;
  for (const CXXBaseSpecifier &B : R->bases())
    if (derivesFrom(B.getType()->getAsCXXRecordDecl(), QualifiedName))
      return true;
  return false;
}

const CXXRecordDecl *Types::holderImpl(const CXXRecordDecl *R) const {
  if (!R)
    return nullptr;
  if (const auto *S = dyn_cast<ClassTemplateSpecializationDecl>(R);
      S && S->getName() == "ModuleHolder")
    return S->getTemplateArgs()[0].getAsType()->getAsCXXRecordDecl();
  if (!R->hasDefinition())
    return nullptr;
  for (const CXXBaseSpecifier &B : R->getDefinition()->bases())
    if (const CXXRecordDecl *Impl = holderImpl(B.getType()->getAsCXXRecordDecl()))
      return Impl;
  return nullptr;
}

QualType Types::firstTemplateArgument(const CXXRecordDecl *R) {
  if (const auto *S = dyn_cast_or_null<ClassTemplateSpecializationDecl>(R)) {
    const TemplateArgumentList &Args = S->getTemplateArgs();
    if (Args.size() && Args[0].getKind() == TemplateArgument::Type)
      return Args[0].getAsType();
  }
  return {};
}

std::vector<QualType> Types::typeArguments(const CXXRecordDecl *R) {
  std::vector<QualType> Types;
  const auto *S = dyn_cast_or_null<ClassTemplateSpecializationDecl>(R);
  if (!S)
    return Types;
  auto Add = [&](const TemplateArgument &A) {
    if (A.getKind() == TemplateArgument::Type)
      Types.push_back(A.getAsType());
  };
  for (const TemplateArgument &A : S->getTemplateArgs().asArray())
    if (A.getKind() == TemplateArgument::Pack)
      for (const TemplateArgument &B : A.pack_elements())
        Add(B);
    else
      Add(A);
  return Types;
}

ClassKind Types::kind(QualType T) const {
  if (T.isNull())
    return ClassKind::Other;
  return kind(T.getNonReferenceType()->getAsCXXRecordDecl());
}

ClassKind Types::kind(const CXXRecordDecl *R) const {
  if (!R)
    return ClassKind::Other;
  R = R->getCanonicalDecl();
  auto It = Known.find(R);
  if (It != Known.end())
    return It->second;
  ClassKind K = classify(R);
  Known[R] = K;
  return K;
}

ClassKind Types::classify(const CXXRecordDecl *R) const {
  std::string Name = R->getQualifiedNameAsString();
  llvm::StringRef Q = Name;
  bool Std = Q.starts_with("std::") || Q.starts_with("__gnu_cxx::");
  bool Torch = Q.starts_with("at::") || Q.starts_with("c10::") || Q.starts_with("torch::");
  llvm::StringRef Last = Q.rsplit("::").second.empty() ? Q : Q.rsplit("::").second;
  if (Torch) {
    ClassKind K = lookUp(Last, {{"Tensor", ClassKind::Tensor},
                                {"TensorBase", ClassKind::Tensor},
                                {"Variable", ClassKind::Tensor},
                                {"TensorRef", ClassKind::Tensor},
                                {"Scalar", ClassKind::Scalar},
                                {"NoGradGuard", ClassKind::GradGuard},
                                {"AutoGradMode", ClassKind::GradGuard},
                                {"InferenceMode", ClassKind::InferenceGuard},
                                {"ArrayRef", ClassKind::Sequence},
                                {"List", ClassKind::Sequence},
                                {"OptionalArrayRef", ClassKind::Sequence},
                                {"IListRef", ClassKind::Sequence},
                                {"SmallVector", ClassKind::Sequence},
                                {"OrderedDict", ClassKind::Map},
                                {"Dict", ClassKind::Map},
                                {"optional", ClassKind::Optional},
                                {"MaybeOwned", ClassKind::Optional},
                                {"intrusive_ptr", ClassKind::SmartPointer},
                                {"TensorIndex", ClassKind::TensorIndex},
                                {"TensorAccessor", ClassKind::Accessor},
                                {"TensorAccessorBase", ClassKind::Accessor},
                                {"PackedTensorAccessor", ClassKind::Accessor},
                                {"GenericPackedTensorAccessor", ClassKind::Accessor},
                                {"AnyModule", ClassKind::ModuleHolder}});
    if (K != ClassKind::Other)
      return K;
    if (Q.starts_with("torch::OrderedDict") && Last == "Item")
      return ClassKind::Pair;
    if (Last.ends_with("Options"))
      return ClassKind::Options;
  }
  if (Q.starts_with("torch_tidy::")) {
    ClassKind K = lookUp(Last, {{"Autocast", ClassKind::AutocastGuard},
                                {"GradScaler", ClassKind::Scaler},
                                {"Step", ClassKind::Step}});
    if (K != ClassKind::Other)
      return K;
  }
  if (Std) {
    ClassKind K = lookUp(Last, {{"vector", ClassKind::Sequence},
                                {"array", ClassKind::Sequence},
                                {"deque", ClassKind::Sequence},
                                {"list", ClassKind::Sequence},
                                {"initializer_list", ClassKind::Sequence},
                                {"span", ClassKind::Sequence},
                                {"set", ClassKind::Sequence},
                                {"multiset", ClassKind::Sequence},
                                {"forward_list", ClassKind::Sequence},
                                {"queue", ClassKind::Sequence},
                                {"stack", ClassKind::Sequence},
                                {"priority_queue", ClassKind::Sequence},
                                {"unordered_set", ClassKind::Sequence},
                                {"map", ClassKind::Map},
                                {"unordered_map", ClassKind::Map},
                                {"multimap", ClassKind::Map},
                                {"variant", ClassKind::Variant},
                                {"any", ClassKind::Variant},
                                {"pair", ClassKind::Pair},
                                {"tuple", ClassKind::Tuple},
                                {"optional", ClassKind::Optional},
                                {"shared_ptr", ClassKind::SmartPointer},
                                {"unique_ptr", ClassKind::SmartPointer},
                                {"weak_ptr", ClassKind::SmartPointer},
                                {"__shared_ptr", ClassKind::SmartPointer},
                                {"__shared_ptr_access", ClassKind::SmartPointer},
                                {"function", ClassKind::Function},
                                {"move_only_function", ClassKind::Function},
                                {"reference_wrapper", ClassKind::ReferenceWrapper},
                                {"basic_string", ClassKind::String},
                                {"basic_string_view", ClassKind::String}});
    if (K != ClassKind::Other)
      return K;
    if (Last.contains("iterator") || Last.contains("Iterator"))
      return ClassKind::Iterator;
  }
  if (holderImpl(R))
    return ClassKind::ModuleHolder;
  if (derivesFrom(R, "torch::nn::Module"))
    return ClassKind::Module;
  if (derivesFrom(R, "torch::optim::Optimizer"))
    return ClassKind::Optimizer;
  if (derivesFrom(R, "at::Tensor") || derivesFrom(R, "at::TensorBase"))
    return ClassKind::Tensor;
  return ClassKind::Other;
}

} // namespace torch_tidy::model
