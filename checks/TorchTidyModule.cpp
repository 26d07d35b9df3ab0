// Registers the checks with the clang-tidy that loads this module (clang-tidy --load).
#include "CheckRegistry.h"
#include "ModelCheck.h"

#include "clang-tidy/ClangTidyModule.h"
#if LLVM_VERSION_MAJOR < 20
#include "clang-tidy/ClangTidyModuleRegistry.h"
#endif

namespace torch_tidy {

class TorchTidyModule : public clang::tidy::ClangTidyModule {
public:
  void addCheckFactories(clang::tidy::ClangTidyCheckFactories &Factories) override {
    for (const CheckInfo &Check : allChecks())
      Factories.registerCheck<ModelCheck>(Check.Name);
  }
};

static clang::tidy::ClangTidyModuleRegistry::Add<TorchTidyModule>
    Registration("torch-module", "Where C++ LibTorch training loses its gradient.");

} // namespace torch_tidy
