// torch-tidy: finds where C++ LibTorch training loses its gradient.
#include "Commands.h"
#include "Options.h"

#include "llvm/Support/InitLLVM.h"

#include <string_view>

int main(int Argc, const char **Argv) {
  llvm::InitLLVM Setup(Argc, Argv);
  using namespace torch_tidy::tool;
  // `confirm` belongs to another program, which has options of its own.
  if (Argc > 1 && std::string_view(Argv[1]) == "confirm")
    return confirmCommand({Argv + 2, Argv + Argc}, Argv[0]);
  if (int Status = parseCommandLine(Argc, Argv); Status >= 0)
    return Status;
  return Explain ? explainCommand() : checkCommand();
}
