#include "CheckRegistry.h"

#include "llvm/ADT/STLExtras.h"

namespace torch_tidy {

static constexpr CheckInfo Checks[] = {
#include "CheckRegistry.inc"
};

llvm::ArrayRef<CheckInfo> allChecks() { return Checks; }

const CheckInfo *findCheck(llvm::StringRef Name) {
  const auto *It = llvm::find_if(Checks, [&](const CheckInfo &C) { return C.Name == Name; });
  return It == std::end(Checks) ? nullptr : It;
}

} // namespace torch_tidy
