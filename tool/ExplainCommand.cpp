#include "CheckRegistry.h"
#include "Commands.h"
#include "Options.h"
#include "Text.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <set>

namespace torch_tidy::tool {

int explainCommand() {
  llvm::StringRef Subject = options::Subject;
  if (const CheckInfo *Check = findCheck(Subject)) {
    llvm::outs() << Check->Page;
    return 0;
  }
  auto [File, LineText] = Subject.rsplit(':');
  unsigned Line = 0;
  if (LineText.getAsInteger(10, Line) || Line == 0) {
    std::string Names;
    for (const CheckInfo &C : allChecks())
      Names += "\n  " + C.Name.str();
    return fail("'" + Subject.str() + "' is neither a check nor FILE:LINE; the checks are" + Names);
  }
  CheckRequest Request = checkRequest();
  Request.Programs.Inputs = {File.str()};
  Request.Model.ShowBenign = true;
  llvm::Expected<CheckResult> Found = check(Request);
  if (!Found)
    return fail(llvm::toString(Found.takeError()));
  for (const Notification &N : Found->Notifications)
    llvm::errs() << "torch-tidy: " << N.Message << "\n";

  auto Touches = [&, Name = displayPath(File)](const Place &At) {
    return At.Line == Line &&
           (displayPath(At.File) == Name || llvm::StringRef(At.File).ends_with("/" + Name));
  };
  std::vector<Report> Here;
  std::set<unsigned> Lines;
  for (const Report &R : Found->Reports) {
    Lines.insert(R.At.Line);
    if (Touches(R.At) || llvm::any_of(R.Chain, [&](const Step &S) { return Touches(S.At); }))
      Here.push_back(R);
  }
  if (Here.empty()) {
    std::string Others;
    for (unsigned L : Lines)
      Others += (Others.empty() ? "" : ", ") + std::to_string(L);
    return fail("no finding touches " + Subject.str() +
                (Others.empty() ? std::string() : "; there are findings at line " + Others));
  }
  TextOptions Text;
  Text.Explain = true;
  Text.Colors = options::Color == llvm::cl::BOU_UNSET ? llvm::outs().is_displayed()
                                                      : options::Color == llvm::cl::BOU_TRUE;
  printText(llvm::outs(), Here, Text);
  std::set<std::string> Checks;
  for (const Report &R : Here)
    if (const CheckInfo *Check = findCheck(R.Check); Check && Checks.insert(R.Check).second)
      llvm::outs() << "\n" << Check->Page;
  return Found->Failed ? 2 : 0;
}

} // namespace torch_tidy::tool
