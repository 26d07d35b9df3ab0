// Where a program is entered: main and registered models, or what a user of the file would call.
#pragma once

#include "LibraryFiles.h"

#include "clang/AST/DeclCXX.h"

#include <vector>

namespace torch_tidy::model {

/// A function that is called, or a module that is trained as a user would train it.
struct Root {
  enum { Function, Module } Kind = Function;
  const clang::FunctionDecl *F = nullptr;
  const clang::CXXRecordDecl *R = nullptr;

  const clang::NamedDecl *name() const {
    return Kind == Module ? static_cast<const clang::NamedDecl *>(R) : F;
  }
};

/// main and registered models; without either, what a user of the file would call.
std::vector<Root> rootsOf(const clang::ASTContext &Context, const LibraryFiles &Files);

} // namespace torch_tidy::model
