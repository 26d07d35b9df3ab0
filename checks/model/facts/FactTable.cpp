#include "facts/FactTable.h"

#include "facts/EmbeddedTables.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace torch_tidy::facts {

std::string toString(Version V) {
  return std::to_string(V.Major) + "." + std::to_string(V.Minor) + "." + std::to_string(V.Patch);
}

struct FactTable::Index {
  struct Range {
    size_t First = 0, Count = 0;
  };
  std::unordered_map<std::string_view, const OpFact *> Ops;
  std::array<std::unordered_map<std::string_view, Range>, 3> Spellings; ///< by kind
  std::unordered_map<std::string_view, const ModuleFact *> Modules;
};

// ------------------------------------------------------------------------------------- reading

namespace {

/// Cuts Text at the first Separator and returns what stands before it.
std::string_view cut(std::string_view &Text, char Separator) {
  size_t At = Text.find(Separator);
  std::string_view Head = Text.substr(0, At);
  Text = At == std::string_view::npos ? std::string_view() : Text.substr(At + 1);
  return Head;
}

bool has(std::string_view Flags, char Flag) { return Flags.find(Flag) != std::string_view::npos; }

} // namespace

/// Reads one table; the format is told in README.md. The tables are part of the program, so what
/// does not read is a broken build, not bad input.
struct TableReader {
  explicit TableReader(const EmbeddedTable &Source) : Source(Source) {}

  std::unique_ptr<FactTable> read() {
    Table.reset(new FactTable());
    Table->Measured = Source.Measured;
    count();
    auto Lookup = std::make_unique<FactTable::Index>();
    Lookup->Ops.reserve(Table->Ops.capacity());
    forEachLine([&](std::string_view Kind, std::string_view Rest) {
      if (Kind == "op") {
        readOp(Rest);
        Lookup->Ops.emplace(Table->Ops.back().Name, &Table->Ops.back());
      } else if (Kind == "cc") {
        readSpelling(Rest, *Lookup);
      } else if (Kind == "nn") {
        readModule(Rest);
        Lookup->Modules.emplace(Table->Modules.back().Name, &Table->Modules.back());
      } else {
        fail("unknown kind of line");
      }
    });
    Table->Lookup = Lookup.release();
    return std::move(Table);
  }

private:
  [[noreturn]] void fail(const char *What) const {
    std::fprintf(stderr, "torch-tidy: the built-in fact table of LibTorch %s is broken: %s: %.*s\n",
                 toString(Source.Measured).c_str(), What, static_cast<int>(Line.size()),
                 Line.data());
    std::abort();
  }

  template <typename Fn> void forEachLine(Fn Read) {
    std::string_view Text = Source.Text;
    while (!Text.empty()) {
      Line = cut(Text, '\n');
      if (Line.empty() || Line[0] == '#')
        continue;
      std::string_view Rest = Line;
      std::string_view Kind = cut(Rest, '\t');
      Read(Kind, Rest);
    }
  }

  /// Operators come first and are pointed to, so their number must be known beforehand.
  void count() {
    size_t Ops = 0, Spellings = 0, Modules = 0;
    forEachLine([&](std::string_view Kind, std::string_view) {
      Ops += Kind == "op";
      Spellings += Kind == "cc";
      Modules += Kind == "nn";
    });
    Table->Ops.reserve(Ops);
    Table->Spellings.reserve(Spellings);
    Table->Modules.reserve(Modules);
  }

  int number(std::string_view Text) const {
    int Value = 0;
    auto [End, Error] = std::from_chars(Text.data(), Text.data() + Text.size(), Value);
    if (Error != std::errc() || End != Text.data() + Text.size())
      fail("not a number");
    return Value;
  }

  template <typename Fn> void forEachItem(std::string_view List, Fn Read) const {
    if (List == "-")
      return;
    while (!List.empty())
      Read(cut(List, ','));
  }

  OpFact::Output::Relation relation(std::string_view Text) const {
    switch (Text.empty() ? '\0' : Text[0]) {
    case 'F':
      return OpFact::Output::Fresh;
    case 'S':
      return OpFact::Output::SameAs;
    case 'V':
      return OpFact::Output::ViewOf;
    case 'M':
      return OpFact::Output::MaybeView;
    default:
      fail("unknown relation of an output");
    }
  }

  /// "0<i1,1<o0?": what the gradient of each argument needs. Buffers ("b") go to Buffers.
  std::vector<Saved> saves(std::string_view List, std::vector<int> *Buffers = nullptr) const {
    std::vector<Saved> Result;
    if (List != "-")
      Result.reserve(1 + std::count(List.begin(), List.end(), ','));
    forEachItem(List, [&](std::string_view Item) {
      Saved S{0, Saved::Input, 0};
      S.GradientOf = number(cut(Item, '<'));
      if (!Item.empty() && Item.back() == '?') {
        S.Always = false;
        Item.remove_suffix(1);
      }
      if (Item.size() < 2)
        fail("bad saved value");
      S.Index = number(Item.substr(1));
      switch (Item[0]) {
      case 'i':
        S.What = Saved::Input;
        break;
      case 'o':
        S.What = Saved::Output;
        break;
      case 'p':
        S.What = Saved::Parameter;
        break;
      case 'b':
        if (!Buffers)
          fail("an operator has no buffers");
        if (std::find(Buffers->begin(), Buffers->end(), S.Index) == Buffers->end())
          Buffers->push_back(S.Index);
        return;
      default:
        fail("bad saved value");
      }
      Result.push_back(S);
    });
    return Result;
  }

  void readOp(std::string_view Rest) {
    OpFact &Op = Table->Ops.emplace_back();
    Op.Name = cut(Rest, '\t');
    std::string_view Arguments = cut(Rest, '\t');
    if (Arguments != "-")
      Op.Arguments.reserve(1 + std::count(Arguments.begin(), Arguments.end(), ','));
    forEachItem(Arguments, [&](std::string_view Item) {
      OpFact::Argument &A = Op.Arguments.emplace_back();
      A.Name = cut(Item, ':');
      A.Type = cut(Item, ':');
      A.Mutated = has(Item, 'w');
      A.Bumped = has(Item, 'b');
      A.WrittenQuietly = has(Item, 'q');
      A.Optional = has(Item, 'd');
    });
    std::string_view Outputs = cut(Rest, '\t');
    if (Outputs != "-")
      Op.Outputs.reserve(1 + std::count(Outputs.begin(), Outputs.end(), ','));
    forEachItem(Outputs, [&](std::string_view Item) {
      OpFact::Output &O = Op.Outputs.emplace_back();
      std::string_view Kind = cut(Item, ':');
      O.Kind = relation(Kind);
      if (Kind.size() > 1)
        O.Argument = number(Kind.substr(1));
      O.Diff = has(Item, 'n')   ? Differentiable::No
               : has(Item, 'z') ? Differentiable::Zero
                                : Differentiable::Yes;
      O.MultiView = has(Item, 'x');
      O.OwnCounter = has(Item, 'c');
      O.List = has(Item, 'l');
    });
    Op.Saves = saves(cut(Rest, '\t'));
    std::string_view How = cut(Rest, '\t');
    Op.Known = How != "schema";
    Op.OutForm = How == "out";
  }

  void readSpelling(std::string_view Rest, FactTable::Index &Lookup) {
    Spelling &S = Table->Spellings.emplace_back();
    std::string_view Kind = cut(Rest, '\t');
    auto &Names = Lookup.Spellings[Kind == "m"   ? Spelling::Method
                                   : Kind == "f" ? Spelling::Function
                                   : Kind == "n" ? Spelling::Functional
                                                 : (fail("unknown kind of spelling"), 0)];
    S.Name = cut(Rest, '\t');
    std::string_view Parameters = cut(Rest, '\t');
    if (Parameters != "-")
      S.Parameters.reserve(1 + std::count(Parameters.begin(), Parameters.end(), ','));
    forEachItem(Parameters, [&](std::string_view Item) { S.Parameters.push_back(Item); });
    S.Op = op(cut(Rest, '\t'), Lookup);
    S.ArgumentOf.reserve(S.Parameters.size());
    forEachItem(cut(Rest, '\t'),
                [&](std::string_view Item) { S.ArgumentOf.push_back(number(Item)); });
    if (S.ArgumentOf.size() != S.Parameters.size())
      fail("parameters and arguments differ in number");
    if (std::string_view Position = cut(Rest, '\t'); Position != "-") {
      S.InPlaceParameter = number(Position);
      S.InPlaceOp = op(cut(Rest, '\t'), Lookup);
    }
    // The lines are sorted, so the spellings of one name stand together.
    auto [It, New] = Names.try_emplace(S.Name);
    if (New)
      It->second.First = Table->Spellings.size() - 1;
    ++It->second.Count;
    if (It->second.First + It->second.Count != Table->Spellings.size())
      fail("the spellings of a name do not stand together");
  }

  const OpFact *op(std::string_view Name, const FactTable::Index &Lookup) const {
    auto It = Lookup.Ops.find(Name);
    if (It == Lookup.Ops.end())
      fail("a spelling of an operator that is not in the table");
    return It->second;
  }

  void readMembers(std::string_view List, std::vector<ModuleFact::Member> &Members) {
    forEachItem(List, [&](std::string_view Item) {
      ModuleFact::Member &M = Members.emplace_back();
      M.Name = cut(Item, ':');
      M.OptionName = cut(Item, ':');
      M.Default = Item != "0";
    });
  }

  void readModule(std::string_view Rest) {
    ModuleFact &M = Table->Modules.emplace_back();
    M.Name = cut(Rest, '\t');
    readMembers(cut(Rest, '\t'), M.Parameters);
    readMembers(cut(Rest, '\t'), M.Buffers);
    std::string_view Flags = cut(Rest, '\t');
    M.WritesBuffersInTraining = has(Flags, 'u');
    M.InPlaceOption = has(Flags, 'i');
    M.IdentityInEval = has(Flags, 'e');
    M.Inputs = number(cut(Rest, '\t'));
    M.Returns = cut(Rest, '\t');
    M.Output = relation(cut(Rest, '\t'));
    M.SavesInTraining = saves(cut(Rest, '\t'), &M.BuffersSavedInTraining);
    M.SavesInEval = saves(cut(Rest, '\t'), &M.BuffersSavedInEval);
    std::vector<int> Ignored;
    M.SavesInPlace = saves(cut(Rest, '\t'), &Ignored);
    M.Known = cut(Rest, '\t') != "schema";
  }

  const EmbeddedTable &Source;
  std::unique_ptr<FactTable> Table;
  std::string_view Line;
};

// ------------------------------------------------------------------------------------- looking up

std::vector<Version> FactTable::versions() {
  std::vector<Version> Result;
  for (const EmbeddedTable &T : embeddedTables())
    Result.push_back(T.Measured);
  std::sort(Result.begin(), Result.end());
  return Result;
}

const FactTable &FactTable::forVersion(Version V) {
  std::vector<Version> All = versions();
  auto After = std::upper_bound(All.begin(), All.end(), V);
  Version Chosen = After == All.begin() ? All.front() : *std::prev(After);
  if (After != All.end() && After->Major == V.Major && After->Minor == V.Minor)
    Chosen = *After; // only a later patch

  static std::mutex Lock;
  static auto &Read = *new std::vector<std::unique_ptr<FactTable>>(); // outlives every user
  std::lock_guard<std::mutex> Guard(Lock);
  for (const auto &T : Read)
    if (T->Measured == Chosen)
      return *T;
  for (const EmbeddedTable &T : embeddedTables())
    if (T.Measured == Chosen)
      return *Read.emplace_back(TableReader(T).read());
  std::abort(); // versions() lists the embedded tables
}

const OpFact *FactTable::op(std::string_view Name) const {
  auto It = Lookup->Ops.find(Name);
  return It == Lookup->Ops.end() ? nullptr : It->second;
}

const ModuleFact *FactTable::module(std::string_view Name) const {
  auto It = Lookup->Modules.find(Name);
  if (It == Lookup->Modules.end() && Name.ends_with("Impl"))
    It = Lookup->Modules.find(Name.substr(0, Name.size() - 4));
  return It == Lookup->Modules.end() ? nullptr : It->second;
}

std::vector<const Spelling *> FactTable::spellings(Spelling::Kind Kind,
                                                   std::string_view Name) const {
  std::vector<const Spelling *> Result;
  auto It = Lookup->Spellings[Kind].find(Name);
  if (It != Lookup->Spellings[Kind].end())
    for (size_t I = 0; I < It->second.Count; ++I)
      Result.push_back(&Spellings[It->second.First + I]);
  return Result;
}

namespace {

/// Whether C++ would pass a value of type Given (normal form) for a parameter of type Wanted.
bool accepts(std::string_view Wanted, std::string_view Given) {
  bool Number = Given == "int" || Given == "float" || Given == "bool";
  return Wanted == Given || (Number && (Wanted == "Scalar" || Wanted == "float")) ||
         (Given == "int" && (Wanted == "int[]" || Wanted == "bool")) ||
         (Given == "bool" && Wanted == "int") || (Given == "ScalarType" && Wanted == "TensorOptions") ||
         (Given == "Device" && Wanted == "TensorOptions");
}

/// Whether a program cannot tell the two by what they write, alias and save.
bool actAlike(const Spelling &A, const Spelling &B) {
  auto SameSave = [](const Saved &X, const Saved &Y) {
    return X.GradientOf == Y.GradientOf && X.What == Y.What && X.Index == Y.Index;
  };
  auto SameOutput = [](const OpFact::Output &X, const OpFact::Output &Y) {
    return X.Kind == Y.Kind && X.Argument == Y.Argument && X.Diff == Y.Diff &&
           X.MultiView == Y.MultiView;
  };
  auto SameWrite = [](const OpFact::Argument &X, const OpFact::Argument &Y) {
    return X.Mutated == Y.Mutated;
  };
  return A.ArgumentOf == B.ArgumentOf &&
         std::equal(A.Op->Saves.begin(), A.Op->Saves.end(), B.Op->Saves.begin(),
                    B.Op->Saves.end(), SameSave) &&
         std::equal(A.Op->Outputs.begin(), A.Op->Outputs.end(), B.Op->Outputs.begin(),
                    B.Op->Outputs.end(), SameOutput) &&
         std::equal(A.Op->Arguments.begin(), A.Op->Arguments.end(), B.Op->Arguments.begin(),
                    B.Op->Arguments.end(), SameWrite);
}

} // namespace

const Spelling *FactTable::spelling(Spelling::Kind Kind, std::string_view Name,
                                    const std::vector<std::string_view> &Parameters) const {
  std::vector<const Spelling *> Arity;
  for (const Spelling *S : spellings(Kind, Name)) {
    if (S->Parameters == Parameters)
      return S;
    if (S->Parameters.size() == Parameters.size())
      Arity.push_back(S);
  }
  if (Arity.size() <= 1)
    return Arity.empty() ? nullptr : Arity[0];

  const Spelling *Accepting = nullptr, *Best = nullptr;
  size_t Acceptors = 0, BestScore = 0;
  for (const Spelling *S : Arity) {
    size_t Equal = 0, Accepted = 0;
    for (size_t I = 0; I < Parameters.size(); ++I) {
      Equal += S->Parameters[I] == Parameters[I];
      Accepted += accepts(S->Parameters[I], Parameters[I]);
    }
    if (Accepted == Parameters.size()) {
      ++Acceptors;
      Accepting = S;
    }
    if (!Best || Equal > BestScore) {
      Best = S;
      BestScore = Equal;
    }
  }
  if (Acceptors == 1)
    return Accepting;
  bool Alike = std::all_of(Arity.begin(), Arity.end(),
                           [&](const Spelling *S) { return actAlike(*S, *Best); });
  return Alike ? Best : nullptr;
}

// ------------------------------------------------------------------------------------- types

namespace {

struct Renaming {
  std::string_view From, To;
};

// The same list stands in factgen/normalform.py; the tests hold the tables against this one.
constexpr Renaming Names[] = {
    {"TensorBase", "Tensor"},
    {"OptionalTensorRef", "Tensor"},
    {"TensorRef", "Tensor"},
    {"TensorList", "Tensor[]"},
    {"ITensorListRef", "Tensor[]"},
    {"IOptTensorListRef", "Tensor[]"},
    {"IntArrayRef", "int[]"},
    {"SymIntArrayRef", "int[]"},
    {"OptionalIntArrayRef", "int[]"},
    {"OptionalSymIntArrayRef", "int[]"},
    {"DimnameList", "Dimname[]"},
    {"SymInt", "int"},
    {"int64_t", "int"},
    {"int32_t", "int"},
    {"int16_t", "int"},
    {"int8_t", "int"},
    {"uint64_t", "int"},
    {"uint8_t", "int"},
    {"size_t", "int"},
    {"short", "int"},
    {"long", "int"},
    {"long int", "int"},
    {"long long", "int"},
    {"unsigned", "int"},
    {"unsigned int", "int"},
    {"unsigned long", "int"},
    {"unsigned long long", "int"},
    {"signed char", "int"},
    {"DeviceIndex", "int"},
    {"double", "float"},
    {"SymFloat", "float"},
    {"SymBool", "bool"},
    {"_Bool", "bool"},
    {"string_view", "str"},
    {"string", "str"},
    {"basic_string_view", "str"},
    {"basic_string", "str"},
    {"char", "str"},
    {"TypeMeta", "ScalarType"},
    {"TensorIndex", "index"},
    {"ExpandingArray", "int[]"},
    {"ExpandingArrayWithOptionalElem", "int[]"},
};

constexpr std::string_view Wrappers[] = {"optional", "OptionalRef", "MaybeOwned",
                                         "reference_wrapper"};
constexpr std::string_view Lists[] = {"ArrayRef",         "IListRef",  "List",
                                      "vector",           "array",     "initializer_list",
                                      "OptionalArrayRef", "SmallVector", "HeaderOnlyArrayRef"};
constexpr std::string_view Noise[] = {"const", "volatile", "struct", "class", "enum", "typename"};

template <size_t N> bool isIn(std::string_view Word, const std::string_view (&List)[N]) {
  return std::find(std::begin(List), std::end(List), Word) != std::end(List);
}

bool isWord(char C) { return std::isalnum(static_cast<unsigned char>(C)) || C == '_'; }

/// Text without qualifiers, references, pointers, array bounds of char and needless blanks.
std::string plain(std::string_view Text) {
  std::string Result;
  bool Char = false;
  for (size_t I = 0; I < Text.size();) {
    if (isWord(Text[I])) {
      size_t End = I;
      while (End < Text.size() && isWord(Text[End]))
        ++End;
      std::string_view Word = Text.substr(I, End - I);
      I = End;
      if (isIn(Word, Noise))
        continue;
      Char |= Word == "char";
      if (!Result.empty() && isWord(Result.back()))
        Result += ' ';
      Result += Word;
      continue;
    }
    char C = Text[I++];
    if (C == '&' || C == '*' || std::isspace(static_cast<unsigned char>(C)))
      continue;
    Result += C;
  }
  if (Char && Result.ends_with(']')) // "char[6]" and "char (&)[6]", a string literal
    return "char";
  return Result;
}

std::string rename(std::string_view Name) {
  for (const Renaming &R : Names)
    if (R.From == Name)
      return std::string(R.To);
  return std::string(Name);
}

std::string normalPlain(std::string_view Text) {
  size_t Open = Text.find('<');
  std::string_view Outer = Text.substr(0, Open);
  if (size_t At = Outer.rfind("::"); At != std::string_view::npos)
    Outer = Outer.substr(At + 2);
  if (Open == std::string_view::npos) {
    if (Outer.ends_with("Options") && Outer != "TensorOptions")
      return "options";
    return rename(Outer);
  }
  std::string_view Inner = Text.substr(Open + 1);
  Inner = Inner.substr(0, Inner.rfind('>'));
  int Depth = 0;
  size_t End = 0;
  for (; End < Inner.size(); ++End) {
    Depth += Inner[End] == '<' || Inner[End] == '(';
    Depth -= Inner[End] == '>' || Inner[End] == ')';
    if (Inner[End] == ',' && Depth == 0)
      break;
  }
  std::string_view First = Inner.substr(0, End);
  if (isIn(Outer, Lists)) {
    std::string Element = normalPlain(First);
    return Element == "index" ? Element : Element + "[]";
  }
  if (isIn(Outer, Wrappers))
    return normalPlain(First);
  if (Outer.ends_with("Options"))
    return "options"; // torch::nn::ConvOptions<2>
  return rename(Outer);
}

} // namespace

std::string normalForm(std::string_view CxxType) { return normalPlain(plain(CxxType)); }

} // namespace torch_tidy::facts
