#include "Sarif.h"

#include "CheckRegistry.h"
#include "SourceLines.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"

#include <algorithm>
#include <array>
#include <map>

namespace torch_tidy::tool {

namespace json = llvm::json;

namespace {

std::string percentEncoded(llvm::StringRef Path) {
  std::string Result;
  for (unsigned char C : Path)
    if (llvm::isAlnum(C) || llvm::StringRef("-._~/!$&'()*+,;=@").contains(C))
      Result += C;
    else
      Result += "%" + llvm::toHex(llvm::ArrayRef(C));
  return Result;
}

json::Value text(llvm::StringRef Text) { return json::Object{{"text", json::fixUTF8(Text)}}; }

// A summary's first letter aside, rules are described by what the manifest and the pages say.
json::Object rule(const CheckInfo &Check) {
  return json::Object{
      {"id", Check.Name},
      {"name", Check.Name},
      {"shortDescription", text(Check.Summary)},
      {"fullDescription", text(Check.Summary)},
      {"help", json::Object{{"text", Check.Page}, {"markdown", Check.Page}}},
      {"defaultConfiguration", json::Object{{"level", "error"}}},
      {"properties", json::Object{{"precision", Check.Precision},
                                  {"problem.severity", Check.Severity},
                                  {"tags", json::Array{"correctness", "libtorch", "autograd"}}}}};
}

class Writer {
public:
  Writer() {
    llvm::sys::fs::current_path(Root);
    if (!llvm::StringRef(Root).ends_with("/"))
      Root += '/';
  }

  json::Object artifact(llvm::StringRef File) const {
    if (File.consume_front(Root))
      return json::Object{{"uri", percentEncoded(File)}, {"uriBaseId", "%SRCROOT%"}};
    return json::Object{{"uri", "file://" + percentEncoded(File)}};
  }

  std::string rootUri() const { return "file://" + percentEncoded(Root); }

  json::Object roots() const {
    return json::Object{{"%SRCROOT%", json::Object{{"uri", rootUri()}}}};
  }

  // Bytes to code points.
  unsigned column(const Place &At, unsigned Column) {
    std::string Line = Lines.line(At.File, At.Line);
    size_t Bytes = std::min<size_t>(Column - 1, Line.size());
    auto StartsCharacter = [](char C) { return (static_cast<unsigned char>(C) & 0xC0) != 0x80; };
    return 1 + Column - 1 - Bytes +
           std::count_if(Line.begin(), Line.begin() + Bytes, StartsCharacter);
  }

  json::Object physical(const Place &At) {
    return json::Object{{"artifactLocation", artifact(At.File)},
                        {"region", json::Object{{"startLine", At.Line},
                                                {"startColumn", column(At, At.Column)},
                                                {"endLine", At.Line},
                                                {"endColumn", column(At, At.EndColumn)},
                                                {"byteOffset", At.Offset},
                                                {"byteLength", At.EndColumn - At.Column},
                                                {"snippet", text(Lines.line(At.File, At.Line))}}}};
  }

  json::Object location(const Place &At, llvm::StringRef Message) {
    return json::Object{{"physicalLocation", physical(At)}, {"message", text(Message)}};
  }

  json::Value result(const Report &R) {
    json::Array Flow, Related;
    for (const Step &S : R.Chain) {
      Flow.push_back(json::Object{{"location", location(S.At, S.Message)}});
      json::Object Relation = location(S.At, S.Message);
      Relation["id"] = static_cast<int64_t>(Related.size());
      Related.push_back(std::move(Relation));
    }
    json::Object Primary{{"physicalLocation", physical(R.At)}};
    if (!R.Function.empty())
      Primary["logicalLocations"] =
          json::Array{json::Object{{"fullyQualifiedName", R.Function}, {"kind", "function"}}};
    json::Object Result{
        {"ruleId", R.Check},
        {"level", word(R.level())},
        {"message", text(R.Wording)},
        {"locations", json::Array{std::move(Primary)}},
        {"partialFingerprints", json::Object{{"torchTidy/v1", fingerprint(R)}}},
        {"properties", json::Object{{"outcome", llvm::StringRef(autograd::word(R.Predicted))},
                                    {"certainty", llvm::StringRef(autograd::word(R.How))},
                                    {"fixed", R.Fixed}}}};
    if (const CheckInfo *Check = findCheck(R.Check))
      Result["ruleIndex"] = static_cast<int64_t>(Check - allChecks().begin());
    if (!Flow.empty()) {
      Result["codeFlows"] = json::Array{
          json::Object{{"threadFlows", json::Array{json::Object{{"locations", std::move(Flow)}}}}}};
      Result["relatedLocations"] = std::move(Related);
    }
    if (!R.Edits.empty())
      Result["fixes"] = json::Array{fix(R)};
    return Result;
  }

private:
  json::Object fix(const Report &R) {
    std::map<std::string, json::Array> Changes;
    for (const Edit &E : R.Edits)
      Changes[E.Begin.File].push_back(json::Object{
          {"deletedRegion", json::Object{{"startLine", E.Begin.Line},
                                         {"startColumn", column(E.Begin, E.Begin.Column)},
                                         {"endLine", E.End.Line},
                                         {"endColumn", column(E.End, E.End.Column)},
                                         {"byteOffset", E.Begin.Offset},
                                         {"byteLength", E.End.Offset - E.Begin.Offset}}},
          {"insertedContent", text(E.Text)}});
    json::Array Artifacts;
    for (auto &[File, Replacements] : Changes)
      Artifacts.push_back(json::Object{{"artifactLocation", artifact(File)},
                                       {"replacements", std::move(Replacements)}});
    // Whether the write was meant for the original as well, only its author knows.
    bool Copies = llvm::any_of(R.Edits, [](const Edit &E) { return E.Text == ".clone()"; });
    return json::Object{{"description",
                         text("Repair: " + R.Message +
                              (Copies ? ". What is written stays in the copy: where the original is "
                                        "to change, assign the result to it instead"
                                      : ""))},
                        {"artifactChanges", std::move(Artifacts)}};
  }

  // What a finding is when lines move: its check, its line's words, the function around it, and
  // which of several equal ones it is.
  std::string fingerprint(const Report &R) {
    llvm::SmallVector<llvm::StringRef, 16> Words;
    llvm::SplitString(R.LineText, Words);
    std::string Key = R.Check + "\n" + llvm::sys::path::filename(R.At.File).str() + "\n" +
                      R.Function + "\n" + llvm::join(Words, " ");
    Key += "\n" + std::to_string(Occurrences[Key]++);
    llvm::SHA256 Hash;
    Hash.update(Key);
    std::array<uint8_t, 32> Digest = Hash.final();
    return llvm::toHex(llvm::ArrayRef(Digest).take_front(16), /*LowerCase=*/true);
  }

  llvm::SmallString<256> Root;
  SourceLines Lines;
  std::map<std::string, unsigned> Occurrences;
};

const char *level(Notification::Level How) {
  return How == Notification::Level::Note      ? "note"
         : How == Notification::Level::Warning ? "warning"
                                               : "error";
}

json::Array strings(const std::vector<std::string> &List) {
  json::Array Result;
  for (const std::string &S : List)
    Result.push_back(json::fixUTF8(S));
  return Result;
}

} // namespace

void writeSarif(llvm::raw_ostream &Out, const std::vector<Report> &Reports, const SarifRun &Run) {
  Writer Write;
  json::Array Rules, Results, Notifications, Groups, Programs;
  for (const CheckInfo &Check : allChecks())
    Rules.push_back(rule(Check));
  for (const Report &R : Reports)
    Results.push_back(Write.result(R));
  for (const Notification &N : Run.Notifications) {
    json::Object Object{{"level", level(N.How)}, {"message", text(N.Message)}};
    if (N.At.valid())
      Object["locations"] = json::Array{json::Object{{"physicalLocation", Write.physical(N.At)}}};
    Notifications.push_back(std::move(Object));
  }
  for (const SourceGroup &G : Run.Groups) {
    json::Array Files;
    for (const std::string &File : G.Files)
      Files.push_back(Write.artifact(File)["uri"]);
    Groups.push_back(json::Array(Files));
    Programs.push_back(json::Object{
        {"files", std::move(Files)},
        {"directory", json::fixUTF8(G.Directory)},
        {"compiler", G.Compiler.empty() ? "" : json::fixUTF8(G.Compiler.front())},
        {"flags", strings({G.Compiler.begin() + !G.Compiler.empty(), G.Compiler.end()})}});
  }
  json::Object Driver{{"name", "torch-tidy"},
                      {"version", TORCH_TIDY_VERSION},
                      {"semanticVersion", TORCH_TIDY_VERSION},
                      {"rules", std::move(Rules)}};
  json::Object Invocation{{"executionSuccessful", Run.ExitCode != 2},
                          {"exitCode", Run.ExitCode},
                          {"workingDirectory", json::Object{{"uri", Write.rootUri()}}},
                          {"toolExecutionNotifications", std::move(Notifications)}};
  json::Value Log = json::Object{
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
      {"version", "2.1.0"},
      {"runs",
       json::Array{json::Object{{"tool", json::Object{{"driver", std::move(Driver)}}},
                                {"columnKind", "unicodeCodePoints"},
                                {"originalUriBaseIds", Write.roots()},
                                {"invocations", json::Array{std::move(Invocation)}},
                                {"results", std::move(Results)},
                                {"properties", json::Object{{"sources", std::move(Groups)},
                                                            {"programs", std::move(Programs)}}}}}}};
  Out << llvm::formatv("{0:2}\n", Log);
}

} // namespace torch_tidy::tool
