#include "interpreter/Roots.h"

#include "interpreter/Types.h"

#include "clang/AST/ASTContext.h"
#include "clang/AST/RecursiveASTVisitor.h"
#include "llvm/ADT/DenseSet.h"

using namespace clang;

namespace torch_tidy::model {

namespace {

/// What a translation unit of the user's defines and refers to.
class Inventory : public RecursiveASTVisitor<Inventory> {
public:
  bool shouldVisitTemplateInstantiations() const { return true; }
  bool shouldVisitImplicitCode() const { return false; }

  std::vector<const FunctionDecl *> Functions;
  std::vector<const CXXRecordDecl *> Modules;
  llvm::DenseSet<const FunctionDecl *> Referenced;
  llvm::DenseSet<const CXXRecordDecl *> Constructed;
  Types Kinds;

  bool VisitFunctionDecl(FunctionDecl *F) {
    if (F->isThisDeclarationADefinition() && F->hasBody() && !F->isDependentContext())
      Functions.push_back(F);
    return true;
  }
  bool VisitCXXRecordDecl(CXXRecordDecl *R) {
    if (R->isThisDeclarationADefinition() && !R->isDependentContext() && !R->isAbstract() &&
        Kinds.kind(R) == ClassKind::Module)
      Modules.push_back(R);
    return true;
  }
  bool VisitDeclRefExpr(DeclRefExpr *E) {
    if (const auto *F = dyn_cast<FunctionDecl>(E->getDecl()))
      Referenced.insert(F->getCanonicalDecl());
    return true;
  }
  bool VisitMemberExpr(MemberExpr *E) {
    if (const auto *F = dyn_cast<FunctionDecl>(E->getMemberDecl()))
      Referenced.insert(F->getCanonicalDecl());
    return true;
  }
};

/// Free functions, and methods that a user of the class calls; a module's forward() is driven by
/// itself, and what implements an interface is called by whoever knows that.
bool isForCallers(const FunctionDecl *F, const Inventory &I) {
  const auto *M = dyn_cast<CXXMethodDecl>(F);
  if (!M)
    return true;
  const CXXRecordDecl *R = M->getParent();
  if (!M->isUserProvided() || M->getAccess() != AS_public || M->isVirtual() ||
      isa<CXXConstructorDecl, CXXDestructorDecl, CXXConversionDecl>(M) || M->isOverloadedOperator() ||
      R->isLambda() || R->isAbstract() || R->getDeclContext()->isFunctionOrMethod())
    return false;
  const ClassKind K = I.Kinds.kind(R);
  return K == ClassKind::Other ||
         (K == ClassKind::Module && M->getDeclName().isIdentifier() && M->getName() != "forward");
}

} // namespace

std::vector<Root> rootsOf(const ASTContext &Context, const LibraryFiles &Files) {
  Inventory I;
  // What a precompiled header holds is read as it is asked for: going through all of it would cost
  // more than all the rest, and what the user wrote there belongs to no single source.
  for (Decl *D : Context.getTranslationUnitDecl()->noload_decls())
    if (!Files.contains(D->getLocation()))
      I.TraverseDecl(D);
  std::vector<Root> Roots;
  auto IsTest = [&](const FunctionDecl *F) {
    // Bodies of tests: a member without parameters that implements a library's virtual function.
    const auto *M = dyn_cast<CXXMethodDecl>(F);
    if (!M || !M->isVirtual() || M->getNumParams() || isa<CXXDestructorDecl>(M) ||
        M->getParent()->isAbstract() || I.Kinds.kind(M->getParent()) != ClassKind::Other)
      return false;
    for (const CXXMethodDecl *O : M->overridden_methods())
      if (Files.contains(O->getLocation()))
        return true;
    return false;
  };
  for (const FunctionDecl *F : I.Functions) {
    bool Registered = F->getDeclName().isIdentifier() &&
                      F->getName().starts_with("torch_tidy_model_") && F->getNumParams() == 0;
    if (F->isMain() || Registered || IsTest(F))
      Roots.push_back({Root::Function, F, nullptr});
  }
  if (!Roots.empty())
    return Roots;
  for (const CXXRecordDecl *R : I.Modules)
    Roots.push_back({Root::Module, nullptr, R});
  for (const FunctionDecl *F : I.Functions)
    if (!I.Referenced.count(F->getCanonicalDecl()) && isForCallers(F, I))
      Roots.push_back({Root::Function, F, nullptr});
  return Roots;
}

} // namespace torch_tidy::model
