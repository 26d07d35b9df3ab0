// `torch-tidy confirm`: hands over to torch-tidy-confirm, the program of the half that knows
// LibTorch and no LLVM. Given sources instead of a findings file, it checks them first.
#include "Commands.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

namespace torch_tidy::tool {

namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

constexpr llvm::StringLiteral DriverName = "torch-tidy-confirm";

static std::string findDriver(const std::string &Self) {
  llvm::SmallString<256> Beside(path::parent_path(Self));
  path::append(Beside, DriverName);
  if (fs::can_execute(Beside))
    return std::string(Beside);
  llvm::ErrorOr<std::string> OnPath = llvm::sys::findProgramByName(DriverName);
  return OnPath ? *OnPath : std::string();
}

static int run(const std::string &Program, std::vector<llvm::StringRef> Args) {
  Args.insert(Args.begin(), Program);
  std::string Error;
  int Status = llvm::sys::ExecuteAndWait(Program, Args, std::nullopt, {}, 0, 0, &Error);
  if (Status < 0)
    return fail("'" + Program + "' could not be run: " + Error);
  return Status;
}

int confirmCommand(llvm::ArrayRef<const char *> Args, const char *Argv0) {
  static int Anchor;
  std::string Self = fs::getMainExecutable(Argv0, &Anchor);
  std::string Driver = findDriver(Self);
  if (Driver.empty())
    return fail("torch-tidy-confirm was found neither beside torch-tidy nor on PATH: it belongs to "
                "the half that runs LibTorch: build with -DTORCH_TIDY_BUILD_RUNTIME=ON");

  // Sources (with the options that say how to read them) and what the driver is to get.
  std::vector<llvm::StringRef> CheckArgs, DriverArgs, Shared, Flags;
  bool HasSource = false, HasFindings = false;
  for (size_t I = 0; I < Args.size(); ++I) {
    llvm::StringRef Arg = Args[I];
    if (Arg == "--") {
      Flags.assign(Args.begin() + I, Args.end());
      break;
    }
    llvm::StringRef Name = Arg.split('=').first.ltrim('-');
    bool ForCheck =
        Arg.starts_with("-") &&
        llvm::is_contained({"p", "torch", "extra-arg", "extra-arg-before", "checks"}, Name);
    if (ForCheck) {
      bool Separate = !Arg.contains('=') && I + 1 < Args.size();
      llvm::ArrayRef<const char *> Words = Args.slice(I, Separate ? 2 : 1);
      CheckArgs.insert(CheckArgs.end(), Words.begin(), Words.end());
      // How to compile, and with which LibTorch, concerns both.
      if (llvm::is_contained({"p", "torch", "extra-arg"}, Name))
        Shared.insert(Shared.end(), Words.begin(), Words.end());
      I += Separate;
    } else if (!Arg.starts_with("-") && fs::exists(Arg) && !Arg.ends_with(".sarif") &&
               (DriverArgs.empty() || !DriverArgs.back().starts_with("-") ||
                DriverArgs.back().contains('='))) {
      CheckArgs.push_back(Arg);
      HasSource = true;
    } else {
      HasFindings |= Arg.ends_with(".sarif");
      DriverArgs.push_back(Arg);
    }
  }
  if (!HasSource)
    return run(Driver, {Args.begin(), Args.end()});
  if (HasFindings)
    return fail("give either a findings file or sources to confirm, not both");

  llvm::SmallString<128> Findings;
  if (std::error_code Error = fs::createTemporaryFile("torch-tidy", "sarif", Findings))
    return fail("cannot make a temporary file: " + Error.message());
  llvm::FileRemover Remove(Findings);
  std::vector<llvm::StringRef> Checking{"check", "--format=sarif", "--fail-on=never"};
  std::string Output = ("--output=" + Findings).str();
  Checking.push_back(Output);
  Checking.insert(Checking.end(), CheckArgs.begin(), CheckArgs.end());
  Checking.insert(Checking.end(), Flags.begin(), Flags.end());
  if (int Status = run(Self, Checking))
    return Status;
  DriverArgs.insert(DriverArgs.begin(), Findings);
  DriverArgs.insert(DriverArgs.end(), Shared.begin(), Shared.end());
  DriverArgs.insert(DriverArgs.end(), Flags.begin(), Flags.end());
  return run(Driver, DriverArgs);
}

} // namespace torch_tidy::tool
