#include "SourceScan.h"

#include "clang/Basic/LangOptions.h"
#include "clang/Basic/SourceLocation.h"
#include "clang/Lex/Lexer.h"
#include "llvm/ADT/STLExtras.h"

namespace torch_tidy::tool {

using namespace clang;

namespace {

/// Reads tokens with a memory of the declaration they belong to. Bodies are skipped; namespaces and
/// classes are entered.
class Scanner {
public:
  explicit Scanner(llvm::StringRef Text) : Copy(Text.str()) {
    LangOptions Language;
    Language.CPlusPlus = Language.CPlusPlus11 = Language.CPlusPlus17 = Language.LineComment = true;
    // The lexer wants its text to end in a zero byte.
    Lexer Lex(SourceLocation(), Language, Copy.data(), Copy.data(), Copy.data() + Copy.size());
    Token Tok;
    while (Lex.LexFromRawLexer(Tok), !Tok.is(tok::eof))
      Tokens.push_back({Tok.getKind(),
                        Tok.is(tok::raw_identifier) ? Tok.getRawIdentifier()
                        : Tok.isLiteral() && Tok.getLiteralData()
                            ? llvm::StringRef(Tok.getLiteralData(), Tok.getLength())
                            : llvm::StringRef(),
                        Tok.isAtStartOfLine()});
  }

  SourceScan run() {
    while (At < Tokens.size())
      scope("");
    return std::move(Scan);
  }

private:
  struct Lexeme {
    tok::TokenKind Kind;
    llvm::StringRef Text; ///< identifiers and literals
    bool StartsLine;
  };
  std::string Copy;
  std::vector<Lexeme> Tokens;
  size_t At = 0;
  SourceScan Scan;

  bool is(size_t I, tok::TokenKind Kind) const {
    return I < Tokens.size() && Tokens[I].Kind == Kind;
  }
  bool isWord(size_t I, llvm::StringRef Word) const {
    return is(I, tok::raw_identifier) && Tokens[I].Text == Word;
  }

  void directive() {
    ++At; // #
    if (isWord(At, "include") && is(At + 1, tok::string_literal))
      Scan.Includes.push_back({Tokens[At + 1].Text.drop_front().drop_back().str(), false});
    if (isWord(At, "include") && is(At + 1, tok::less)) {
      // A raw lexer sees <a/b.h> as tokens: the name is the text between the brackets.
      size_t End = At + 2;
      while (End < Tokens.size() && !Tokens[End].StartsLine && !is(End, tok::greater))
        ++End;
      if (is(End, tok::greater) && End > At + 2)
        Scan.Includes.push_back({between(At + 1, End), true});
    }
    while (At < Tokens.size() && !Tokens[At].StartsLine)
      ++At;
  }

  // Only words and literals carry their text; the brackets of an #include are found around them.
  std::string between(size_t Less, size_t Greater) const {
    for (size_t I = Less + 1; I < Greater; ++I)
      if (!Tokens[I].Text.empty()) {
        llvm::StringRef Rest(Tokens[I].Text.data(),
                             Copy.data() + Copy.size() - Tokens[I].Text.data());
        llvm::StringRef Before(Copy.data(), Tokens[I].Text.data() - Copy.data());
        size_t Begin = Before.rfind('<');
        return (Before.substr(Begin + 1) + Rest.take_until([](char C) { return C == '>'; })).str();
      }
    return "";
  }

  // Past the bracket that closes the one at At.
  void skip(tok::TokenKind Open, tok::TokenKind Close) {
    for (int Depth = 0; At < Tokens.size();) {
      if (is(At, tok::hash) && Tokens[At].StartsLine) {
        directive();
        continue;
      }
      Depth += is(At, Open) - is(At, Close);
      ++At;
      if (Depth == 0)
        return;
    }
  }

  // A template's parameter list; shifts do not occur in those that matter.
  void skipAngles() {
    int Depth = 0;
    for (; At < Tokens.size() && !is(At, tok::semi) && !is(At, tok::l_brace); ++At) {
      Depth += is(At, tok::less) - is(At, tok::greater) - 2 * is(At, tok::greatergreater);
      if (Depth <= 0) {
        ++At;
        return;
      }
    }
  }

  /// Declarations up to the brace that closes the namespace or class.
  void scope(llvm::StringRef Class) {
    while (At < Tokens.size()) {
      if (is(At, tok::r_brace)) {
        ++At;
        return;
      }
      declaration(Class);
    }
  }

  void declaration(llvm::StringRef Class) {
    bool Namespace = false, Static = false, Friend = false, Template = false, Record = false;
    bool Bases = false;
    llvm::StringRef RecordName;
    std::string Function; // the last name before parentheses
    size_t Words = 0;     // in front of it: its type
    bool Parameters = false;
    while (At < Tokens.size()) {
      const Lexeme &L = Tokens[At];
      if (L.Kind == tok::hash && L.StartsLine) {
        directive();
        continue;
      }
      if (L.Kind == tok::semi || L.Kind == tok::r_brace) {
        if (!Function.empty() && !Friend && !Static && !Template)
          Scan.Declares.insert(Function);
        At += L.Kind == tok::semi;
        return;
      }
      if (L.Kind == tok::raw_identifier) {
        if (L.Text == "namespace" || L.Text == "extern")
          Namespace = true;
        else if (L.Text == "static" && Class.empty())
          Static = true;
        else if (L.Text == "friend" || L.Text == "using" || L.Text == "typedef")
          Friend = true;
        else if ((L.Text == "public" || L.Text == "private" || L.Text == "protected") &&
                 is(At + 1, tok::colon)) {
          At += 2;
          return;
        } else if (L.Text == "template" && is(At + 1, tok::less)) {
          Template = true;
          ++At;
          skipAngles();
          continue;
        } else if (L.Text == "enum") {
          while (At < Tokens.size() && !is(At, tok::semi) && !is(At, tok::l_brace))
            ++At;
          if (is(At, tok::l_brace))
            skip(tok::l_brace, tok::r_brace);
          continue;
        } else if ((L.Text == "class" || L.Text == "struct") && !Parameters) {
          Record = true;
          RecordName = {};
        } else if (Record && !Bases && L.Text != "final" && !is(At + 1, tok::l_paren)) {
          RecordName = L.Text; // the last word: macros stand before it
        } else if (is(At + 1, tok::l_paren) && !Parameters && !Record) {
          // name( or Class::name(
          std::string Name = L.Text.str();
          size_t First = At;
          if (First > 0 && is(First - 1, tok::tilde))
            Name = "~" + Name, --First;
          if (First > 1 && is(First - 1, tok::coloncolon) && is(First - 2, tok::raw_identifier))
            Function = (Tokens[First - 2].Text + "::" + Name).str();
          else
            Function = Class.empty() ? Name : (Class + "::" + Name).str();
          // `NAME(...);` without a type is a macro, unless it is a constructor.
          bool Typed = Words > 0 || Function.find("::") != std::string::npos;
          Parameters = true;
          ++At;
          skip(tok::l_paren, tok::r_paren);
          if (!Typed)
            Function.clear();
          if (L.Text == "main" && Class.empty() && is(At, tok::l_brace))
            Scan.DefinesMain = true;
          if (!Typed && Class.empty() && !is(At, tok::l_brace)) {
            At += is(At, tok::semi);
            return; // a macro as a declaration, with or without its semicolon
          }
          continue;
        }
        ++Words;
        ++At;
        continue;
      }
      if (L.Kind == tok::equal) {
        // = 0, = default, = delete; or an initialiser, after which it was no function
        if (is(At + 1, tok::raw_identifier) &&
            (Tokens[At + 1].Text == "default" || Tokens[At + 1].Text == "delete"))
          Function.clear();
        if (!Parameters || is(At + 1, tok::numeric_constant))
          Function.clear();
        while (At < Tokens.size() && !is(At, tok::semi)) {
          if (is(At, tok::l_brace))
            skip(tok::l_brace, tok::r_brace);
          else if (is(At, tok::l_paren))
            skip(tok::l_paren, tok::r_paren);
          else
            ++At;
        }
        continue;
      }
      if (L.Kind == tok::l_paren) {
        skip(tok::l_paren, tok::r_paren);
        continue;
      }
      Bases |= L.Kind == tok::colon && Record;
      if (L.Kind == tok::colon && Parameters) {
        // A constructor's initialisers: name(...) or name{...}, then the body.
        ++At;
        while (At < Tokens.size() && !is(At, tok::semi)) {
          if (is(At, tok::l_paren)) {
            skip(tok::l_paren, tok::r_paren);
          } else if (is(At, tok::l_brace)) {
            bool Member = is(At - 1, tok::raw_identifier) || is(At - 1, tok::greater);
            if (!Member)
              break;
            skip(tok::l_brace, tok::r_brace);
          } else {
            ++At;
          }
        }
        continue;
      }
      if (L.Kind == tok::l_brace) {
        if (Record && !Parameters) {
          ++At;
          std::string Name = RecordName.str();
          scope(Name);
          // struct X {...} variable;
          while (At < Tokens.size() && !is(At, tok::semi) && !is(At, tok::r_brace))
            ++At;
          At += is(At, tok::semi);
          return;
        }
        if (Namespace && !Parameters) {
          ++At;
          scope("");
          return;
        }
        skip(tok::l_brace, tok::r_brace);
        if (Parameters) {
          if (!Function.empty() && !Static && !Template)
            Scan.Defines.insert(Function);
          At += is(At, tok::semi);
          return;
        }
        continue; // name{...};
      }
      ++At;
    }
  }
};

} // namespace

SourceScan scanSource(llvm::StringRef Text) { return Scanner(Text).run(); }

} // namespace torch_tidy::tool
