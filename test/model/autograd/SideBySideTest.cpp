// The abstract LibTorch beside the real one, on random programs: every observable is compared.
#include "Program.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace {

using torch_tidy::test::Program;

struct Observed {
  int Major = 0, Minor = 0, Patch = 0;
  std::vector<std::vector<std::string>> Programs;
};

/// Runs programs on the real LibTorch, in one process.
Observed execute(const std::vector<Program> &Programs) {
  std::string Base = testing::TempDir() + "side-by-side-" + std::to_string(::getpid());
  {
    std::ofstream In(Base + ".in");
    for (const Program &P : Programs) {
      for (const std::string &L : P)
        In << L << "\n";
      In << "end\n";
    }
  }
  int Status = std::system((std::string(EXECUTE_PROGRAM) + " <" + Base + ".in >" + Base + ".out").c_str());
  EXPECT_EQ(Status, 0) << "execute failed";
  Observed O;
  std::ifstream Out(Base + ".out");
  std::string Line;
  std::getline(Out, Line);
  std::sscanf(Line.c_str(), "version %d %d %d", &O.Major, &O.Minor, &O.Patch);
  O.Programs.emplace_back();
  while (std::getline(Out, Line))
    if (Line == "end")
      O.Programs.emplace_back();
    else
      O.Programs.back().push_back(Line);
  O.Programs.pop_back();
  std::remove((Base + ".in").c_str());
  std::remove((Base + ".out").c_str());
  return O;
}

bool differs(const Program &P) {
  Observed O = execute({P});
  return O.Programs.size() == 1 &&
         torch_tidy::test::predict(P, O.Major, O.Minor, O.Patch) != O.Programs[0];
}

std::vector<std::string> words(const std::string &Line) {
  std::istringstream In(Line);
  std::vector<std::string> W;
  for (std::string X; In >> X;)
    W.push_back(X);
  return W;
}

/// Which words of a statement are numbers of tensors.
std::pair<size_t, size_t> operands(const std::vector<std::string> &W) {
  const std::string &What = W[0];
  if (What == "bin" || What == "inbin" || What == "optimizer")
    return {2, 4};
  if (What == "out")
    return {2, 5};
  if (What == "un" || What == "in" || What == "inscalar" || What == "view" || What == "apply")
    return {2, 3};
  if (What == "setdata")
    return {1, 3};
  if (What == "unbind" || What == "chunk" || What == "detach" || What == "data" || What == "rg" ||
      What == "rg_" || What == "gradfn" || What == "backward")
    return {1, 2};
  return {0, 0};
}

/// How many tensors it makes.
size_t made(const std::vector<std::string> &W) {
  const std::string &What = W[0];
  if (What == "unbind" || What == "chunk")
    return 3;
  if (What == "module")
    return 2;
  return What == "leaf" || What == "un" || What == "bin" || What == "view" || What == "detach" ||
         What == "data" || What == "apply";
}

/// What it makes or refers to that is no tensor: modules by 'm', optimizers by 'o'.
char madeOther(const std::vector<std::string> &W) {
  return W[0] == "module" ? 'm' : W[0] == "optimizer" ? 'o' : 0;
}
char refersToOther(const std::vector<std::string> &W) {
  return W[0] == "apply" || W[0] == "mode" ? 'm' : W[0] == "step" ? 'o' : 0;
}

/// The program without statement I; empty if something refers to what it makes.
Program without(const Program &P, size_t I) {
  Program Q;
  size_t Count = 0, First = 0, Gone = 0;
  std::map<char, size_t> Others;
  char GoneOther = 0;
  size_t OtherNumber = 0;
  for (size_t K = 0; K < P.size(); ++K) {
    std::vector<std::string> W = words(P[K]);
    if (K == I) {
      First = Count;
      Gone = made(W);
      Count += Gone;
      GoneOther = madeOther(W);
      OtherNumber = Others[GoneOther]++;
      continue;
    }
    Count += made(W);
    Others[madeOther(W)]++;
    auto Renumber = [](std::string &Word, size_t From, size_t Many) {
      size_t N = std::stoul(Word);
      if (N >= From && N < From + Many)
        return false;
      if (N >= From + Many)
        Word = std::to_string(N - Many);
      return true;
    };
    if (K > I) {
      auto [From, To] = operands(W);
      for (size_t X = From; X < To; ++X)
        if (!Renumber(W[X], First, Gone))
          return {};
      if (GoneOther && refersToOther(W) == GoneOther && !Renumber(W[1], OtherNumber, 1))
        return {};
    }
    std::string Line;
    for (const std::string &X : W)
      Line += (Line.empty() ? "" : " ") + X;
    Q.push_back(Line);
  }
  return Q;
}

/// Leaves out what the difference does not need, and turns results into leaves.
Program shrink(Program P) {
  for (bool Smaller = true; Smaller;) {
    Smaller = false;
    for (size_t I = P.size(); I-- > 0;) {
      std::vector<Program> Tries{without(P, I)};
      std::vector<std::string> W = words(P[I]);
      // A leaf is 3x3: where the result was of another shape the program would only raise.
      if (made(W) == 1 && W[0] != "leaf" && P[I].find("row") == std::string::npos &&
          W[1] != "sum")
        for (const char *With : {"leaf 0", "leaf 1"}) {
          Tries.push_back(P);
          Tries.back()[I] = With;
        }
      for (Program &Q : Tries)
        if (!Q.empty() && differs(Q)) {
          P = Q;
          Smaller = true;
          break;
        }
      if (I > P.size())
        I = P.size();
    }
  }
  return P;
}

std::string join(const std::vector<std::string> &Lines) {
  std::string S;
  for (const std::string &L : Lines)
    S += "  " + L + "\n";
  return S;
}

TEST(SideBySide, randomProgramsObserveTheSameOnTheRealLibTorch) {
  unsigned Count = 20000, First = 1;
  if (const char *N = std::getenv("TORCH_TIDY_SEQUENCES"))
    Count = static_cast<unsigned>(std::atoi(N));
  if (const char *N = std::getenv("TORCH_TIDY_SEED"))
    First = static_cast<unsigned>(std::atoi(N));
  std::vector<Program> Programs;
  for (unsigned I = 0; I < Count; ++I)
    Programs.push_back(torch_tidy::test::randomProgram(First + I, 6 + I % 20));
  Observed O = execute(Programs);
  ASSERT_EQ(O.Programs.size(), Programs.size());
  unsigned Different = 0, Throwing = 0;
  for (unsigned I = 0; I < Count; ++I) {
    for (const std::string &L : O.Programs[I])
      Throwing += L == "throws";
    std::vector<std::string> Said =
        torch_tidy::test::predict(Programs[I], O.Major, O.Minor, O.Patch);
    if (Said == O.Programs[I])
      continue;
    if (++Different > 5)
      continue;
    Program P = shrink(Programs[I]);
    Observed Small = execute({P});
    ADD_FAILURE() << "seed " << First + I << ", shrunk:\n"
                  << join(P) << "the real LibTorch " << O.Major << "." << O.Minor << " observes:\n"
                  << join(Small.Programs[0]) << "the abstract one says:\n"
                  << join(torch_tidy::test::predict(P, O.Major, O.Minor, O.Patch));
  }
  EXPECT_EQ(Different, 0u) << "of " << Count << " programs";
  EXPECT_GT(Throwing, Count / 10) << "too few programs throw to mean anything";
}

} // namespace
