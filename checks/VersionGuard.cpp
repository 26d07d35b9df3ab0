// Refuses to be loaded into another LLVM than the one this module was compiled for: the layout of
// Clang's classes changes from one minor version to the next, and what follows is a crash far from
// its cause. Patch versions keep it.
#include "clang/Basic/Version.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Config/llvm-config.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#define TORCH_TIDY_TEXT_(X) #X
#define TORCH_TIDY_TEXT(X) TORCH_TIDY_TEXT_(X)
#define TORCH_TIDY_LLVM_SERIES                                                                     \
  TORCH_TIDY_TEXT(LLVM_VERSION_MAJOR) "." TORCH_TIDY_TEXT(LLVM_VERSION_MINOR)

// Before every other initializer of the module: registering with a foreign clang-tidy is already
// undefined. getClangFullVersion has had the same signature since Clang 3.
__attribute__((constructor(101))) static void refuseForeignClang() {
  std::string Host = clang::getClangFullVersion();
  if (Host.find("clang version " TORCH_TIDY_LLVM_SERIES ".") != std::string::npos)
    return;
  std::fprintf(
      stderr,
      "torch-tidy: this module is built for LLVM %s and cannot be loaded into '%s': "
      "use clang-tidy-%s, or build the module with -DTORCH_TIDY_LLVM=<its major version>\n",
      TORCH_TIDY_LLVM_SERIES, Host.c_str(), TORCH_TIDY_TEXT(LLVM_VERSION_MAJOR));
  // Returning would go on to register; throwing through dlopen ends in std::terminate.
  std::_Exit(1);
}
