#include "Options.h"

#include "clang/Tooling/CompilationDatabase.h"
#include "llvm/Support/raw_ostream.h"

namespace torch_tidy::tool {

namespace cl = llvm::cl;

static cl::OptionCategory Category("torch-tidy options");

cl::SubCommand Check("check", "static analysis: where the program loses its gradient");
cl::SubCommand Confirm("confirm",
                       "run flagged models with each defect alone (torch-tidy confirm --help)");
cl::SubCommand Explain("explain", "why, in full: a check's page, or the finding at FILE:LINE");

namespace options {
static cl::list<std::string> Inputs(cl::Positional, cl::desc("[FILE|DIR...] [-- FLAGS]"),
                                    cl::sub(Check), cl::cat(Category));
cl::opt<std::string> Subject(cl::Positional, cl::Required, cl::desc("CHECK|FILE:LINE [-- FLAGS]"),
                             cl::sub(Explain), cl::cat(Category));
static cl::opt<std::string> BuildPath("p", cl::value_desc("BUILD"), cl::sub(Check),
                                      cl::sub(Explain), cl::desc("folder of the compile database"),
                                      cl::cat(Category));
static cl::opt<std::string> Torch("torch", cl::value_desc("DIR"), cl::sub(Check), cl::sub(Explain),
                                  cl::desc("LibTorch to use where no compile database names one"),
                                  cl::cat(Category));
static cl::list<std::string> ExtraArgs("extra-arg", cl::value_desc("FLAG"), cl::sub(Check),
                                       cl::sub(Explain),
                                       cl::desc("compiler flag to append; may be given often"),
                                       cl::cat(Category));
static cl::list<std::string> ExtraArgsBefore("extra-arg-before", cl::value_desc("FLAG"),
                                             cl::sub(Check), cl::sub(Explain),
                                             cl::desc("compiler flag to put first"),
                                             cl::cat(Category));
static cl::opt<std::string> Checks("checks", cl::value_desc("GLOBS"), cl::sub(Check),
                                   cl::desc("checks to run: torch-data-*,-torch-inplace-autograd"),
                                   cl::cat(Category));
cl::opt<std::string> Format("format", cl::init("text"), cl::value_desc("text|sarif"),
                            cl::sub(Check), cl::desc("how to write the findings"),
                            cl::cat(Category));
cl::opt<std::string> Output("output", cl::value_desc("FILE"), cl::sub(Check),
                            cl::desc("write the findings there, in one step"), cl::cat(Category));
cl::opt<bool> Fix("fix", cl::sub(Check), cl::desc("apply the safe repairs"), cl::cat(Category));
cl::opt<std::string> FailOn("fail-on", cl::init("error"),
                            cl::value_desc("error|warning|note|never"), cl::sub(Check),
                            cl::desc("lowest level that gives exit status 1"), cl::cat(Category));
cl::opt<bool> AcceptIncomplete(
    "accept-incomplete", cl::sub(Check),
    cl::desc("exit status 0 also where a missing header hid a part of a source"),
    cl::cat(Category));
static cl::opt<bool> ShowBenign("show-benign", cl::sub(Check),
                                cl::desc("also note what looks suspicious and is harmless"),
                                cl::cat(Category));
cl::opt<bool> Stats("stats", cl::sub(Check), cl::desc("print what was followed and what was not"),
                    cl::cat(Category));
cl::opt<bool> Verbose("verbose", cl::sub(Check), cl::desc("print what is read together, and times"),
                      cl::cat(Category));
cl::opt<bool> Explanations("explain", cl::sub(Check),
                           cl::desc("print what each outcome means for the training"),
                           cl::cat(Category));
cl::opt<cl::boolOrDefault> Color("color", cl::sub(Check), cl::sub(Explain),
                                 cl::desc("colours (default: on a terminal)"), cl::cat(Category));
static cl::opt<unsigned> Jobs("j", cl::Prefix, cl::init(0), cl::value_desc("N"), cl::sub(Check),
                              cl::desc("programs to read at a time (default: processors)"),
                              cl::cat(Category));
static cl::opt<unsigned> PathBudget("path-budget", cl::init(model::AnalysisOptions().PathBudget),
                                    cl::value_desc("N"), cl::sub(Check), cl::sub(Explain),
                                    cl::desc("paths per entry point"), cl::cat(Category));
static cl::opt<unsigned long> StepBudget("step-budget",
                                         cl::init(model::AnalysisOptions().StepBudget),
                                         cl::value_desc("N"), cl::sub(Check), cl::sub(Explain),
                                         cl::desc("syntax nodes evaluated per path"),
                                         cl::cat(Category));
} // namespace options

static std::unique_ptr<clang::tooling::CompilationDatabase> Fixed;

int parseCommandLine(int Argc, const char **Argv) {
  cl::SetVersionPrinter([](llvm::raw_ostream &Out) {
    Out << "torch-tidy " << TORCH_TIDY_VERSION << " (LLVM " << LLVM_VERSION_STRING << ")\n";
  });
  for (cl::SubCommand *Sub : {&cl::SubCommand::getTopLevel(), &Check, &Explain})
    cl::HideUnrelatedOptions(Category, *Sub);
  // Takes `-- FLAGS` off the end.
  std::string Error;
  Fixed = clang::tooling::FixedCompilationDatabase::loadFromCommandLine(Argc, Argv, Error);
  bool Understood = cl::ParseCommandLineOptions(
      Argc, Argv, "torch-tidy: finds where C++ LibTorch training loses its gradient\n",
      &llvm::errs());
  if (!Understood)
    return 2;
  if (!Check && !Explain) {
    cl::PrintHelpMessage(/*Hidden=*/false, /*Categorized=*/true);
    return 2;
  }
  return -1;
}

CheckRequest checkRequest() {
  CheckRequest Request;
  Request.Programs.Inputs.assign(options::Inputs.begin(), options::Inputs.end());
  Request.Programs.BuildPath = options::BuildPath;
  Request.Programs.Torch = options::Torch;
  Request.Programs.ExtraArgs.assign(options::ExtraArgs.begin(), options::ExtraArgs.end());
  Request.Programs.ExtraArgsBefore.assign(options::ExtraArgsBefore.begin(),
                                          options::ExtraArgsBefore.end());
  Request.Programs.Fixed = std::move(Fixed);
  Request.Model.ShowBenign = options::ShowBenign;
  Request.Model.PathBudget = options::PathBudget;
  Request.Model.StepBudget = options::StepBudget;
  Request.Checks = options::Checks;
  Request.Jobs = options::Jobs;
  return Request;
}

} // namespace torch_tidy::tool
