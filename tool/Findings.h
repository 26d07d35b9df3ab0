// Findings as plain data: what is left of a program when its syntax tree is gone. Everything that
// torch-tidy prints, writes or repairs works on these.
#pragma once

#include "Finding.h"

#include <string>
#include <vector>

namespace torch_tidy::tool {

/// A place in a file; lines and columns count from 1, columns in bytes.
struct Place {
  std::string File; ///< absolute
  unsigned Line = 0;
  unsigned Column = 0;
  unsigned EndColumn = 0; ///< one past the token at the place, on the same line
  unsigned Offset = 0;    ///< bytes from the beginning of the file
  bool valid() const { return Line != 0; }
};

struct Step {
  Place At;
  std::string Message;
};

/// One replacement of bytes; End is exclusive.
struct Edit {
  Place Begin, End;
  std::string Text;
};

struct Report {
  std::string Check;
  model::Outcome Predicted = model::Outcome::Wrong;
  model::Certainty How = model::Certainty::Possible;
  Place At;
  std::string Message; ///< the model's sentence, without outcome
  std::string Wording; ///< the sentence with certainty and outcome, as every host prints it
  std::string LineText;
  std::string Function; ///< qualified name of the function around it, or empty
  std::vector<Step> Chain;
  std::vector<Edit> Edits; ///< to be applied together
  bool Fixed = false;      ///< --fix has applied Edits

  enum class Level { None, Note, Warning, Error };
  Level level() const {
    if (Predicted == model::Outcome::Benign)
      return Level::Note;
    return How == model::Certainty::Definite ? Level::Error : Level::Warning;
  }
};

/// The SARIF and clang-tidy word for a level.
inline const char *word(Report::Level L) {
  switch (L) {
  case Report::Level::None:
    return "none";
  case Report::Level::Note:
    return "note";
  case Report::Level::Warning:
    return "warning";
  case Report::Level::Error:
    return "error";
  }
  return "";
}

/// A diagnostic of the compiler: why a source was not, or only partly, understood.
struct ParseError {
  Place At; ///< invalid where the compiler named none (a bad option)
  std::string Message;
  std::string Source;  ///< the source of the program it was met in, absolute; may be empty
  std::string Missing; ///< the header that was not found, for that kind of error
  /// Two declarations in each other's way: the kind of error that comes of reading sources together.
  bool Clash = false;
};

} // namespace torch_tidy::tool
