#include "Program.h"

#include "autograd/AbstractTorch.h"

#include <random>
#include <sstream>
#include <stdexcept>

namespace torch_tidy::test {

using namespace autograd;

Program randomProgram(unsigned Seed, unsigned Length) {
  std::mt19937 R(Seed);
  auto Pick = [&](unsigned N) { return static_cast<unsigned>(R() % N); };
  enum Shape { Matrix, Row, Scalar };
  std::vector<Shape> T;
  std::vector<size_t> Memory; // LibTorch refuses operands that overlap in memory, autograd or not
  Program P;
  auto Add = [&](std::string S) { P.push_back(std::move(S)); };
  auto Str = [](auto X) { return std::to_string(X); };
  Add("leaf 1"), T.push_back(Matrix);
  Add("leaf 1"), T.push_back(Matrix);
  Add("leaf 0"), T.push_back(Matrix);
  static const char *const Unary[] = {"relu", "sigmoid", "tanh", "exp",   "neg",  "abs",  "square",
                                      "sin",  "clone",   "gelu", "round", "softmax"};
  static const char *const InPlace[] = {"relu_", "sigmoid_", "tanh_", "exp_",    "neg_",
                                        "abs_",  "sin_",     "zero_", "square_", "detach_"};
  static const char *const Binary[] = {"add", "sub", "mul", "div", "mm"};
  static const char *const InBinary[] = {"add_", "sub_", "mul_", "div_", "copy_"};
  static const char *const InScalar[] = {"add_", "mul_", "fill_"};
  auto Any = [&] { return T.size() < 4 || Pick(3) ? T.size() - 1 - Pick(std::min<size_t>(T.size(), 4))
                                                  : Pick(static_cast<unsigned>(T.size())); };
  auto SameShape = [&](size_t A) {
    for (int Try = 0; Try < 20; ++Try)
      if (size_t B = Any(); T[B] == T[A])
        return B;
    return A;
  };
  bool NoGrad = false;
  for (unsigned I = 0; I < Length; ++I) {
    while (Memory.size() < T.size())
      Memory.push_back(Memory.size());
    size_t A = Any();
    auto SharesWithA = [&] { Memory.resize(T.size(), Memory[A]); };
    switch (Pick(20)) {
    case 0:
    case 1:
    case 2:
    case 3:
      Add(std::string("un ") + Unary[Pick(12)] + " " + Str(A));
      if (T[A] == Scalar && P.back().find("softmax") != std::string::npos)
        P.back() = "un clone " + Str(A);
      T.push_back(T[A]);
      break;
    case 4:
    case 5:
    case 6: {
      const char *Op = Binary[Pick(5)];
      size_t B = SameShape(A);
      if (std::string(Op) == "mm" && T[A] != Matrix)
        Op = "mul";
      Add(std::string("bin ") + Op + " " + Str(A) + " " + Str(B));
      T.push_back(T[A]);
      break;
    }
    case 7:
    case 8:
      Add(std::string("in ") + InPlace[Pick(10)] + " " + Str(A));
      break;
    case 9:
    case 10:
      if (size_t B = SameShape(A); Memory[A] != Memory[B])
        Add(std::string("inbin ") + InBinary[Pick(5)] + " " + Str(A) + " " + Str(B));
      break;
    case 11:
      Add(std::string("inscalar ") + InScalar[Pick(3)] + " " + Str(A));
      break;
    case 12:
    case 13:
      if (T[A] == Matrix && Pick(2)) {
        Add("view row " + Str(A) + " " + Str(Pick(3)));
        T.push_back(Row);
        SharesWithA();
      } else {
        Add(std::string("view ") + (T[A] == Matrix && Pick(2) ? "t " : "same ") + Str(A));
        T.push_back(T[A]);
        SharesWithA();
      }
      break;
    case 14:
      Add((Pick(2) ? "detach " : "data ") + Str(A));
      T.push_back(T[A]);
      SharesWithA();
      break;
    case 15:
      if (T[A] == Matrix && Pick(3) == 0) {
        Add("unbind " + Str(A));
        T.insert(T.end(), 3, Row);
        SharesWithA();
      } else if (Pick(3) == 0) {
        Add("rg " + Str(A) + " " + Str(Pick(2)));
      } else {
        Add("un sum " + Str(A));
        T.push_back(Scalar);
      }
      break;
    case 16:
      NoGrad = !NoGrad;
      Add(NoGrad ? "nograd" : "grad");
      break;
    case 17:
      if (NoGrad) {
        NoGrad = false;
        Add("grad");
      }
      break;
    case 18:
      if (!NoGrad && Pick(2))
        Add("backward " + Str(A) + " " + Str(Pick(3) == 0));
      break;
    default:
      if (Pick(4) == 0)
        Add("zerograd");
      break;
    }
  }
  if (NoGrad)
    Add("grad");
  Add("backward " + Str(Any()) + " 0");
  return P;
}

namespace {

class Runner {
public:
  Runner(const facts::FactTable &Facts) : Facts(Facts), Torch(Facts) {}

  std::vector<std::string> run(const Program &P) {
    std::vector<std::string> Out;
    for (const std::string &Line : P) {
      bool Threw = !step(Line);
      Torch.catchException();
      Out.push_back(Threw ? "throws" : "ok");
      if (Stopped)
        return Out;
    }
    for (size_t I = 0; I < T.size(); ++I) {
      if (!T[I].T) {
        Out.push_back(std::to_string(I) + " undefined");
        continue;
      }
      std::ostringstream S;
      bool Leaf = Torch.isLeaf(T[I].T);
      S << I << " requires_grad " << Torch.requiresGrad(T[I].T) << " leaf " << Leaf << " version "
        << Torch.version(T[I].T);
      if (Leaf)
        S << " grad " << (Torch.S.Tensors[T[I].T].Grad != GradState::Undefined);
      Out.push_back(S.str());
    }
    return Out;
  }

private:
  const facts::FactTable &Facts;
  AbstractTorch Torch;
  std::vector<Operand> T;
  bool Stopped = false;
  uint32_t Line = 0;

  bool call(const std::string &Op, std::vector<Argument> Arguments, CallOptions Options = {},
            size_t Results = 1) {
    const facts::OpFact *F = Facts.op(Op);
    if (!F) {
      throw std::runtime_error("no facts for " + Op);
    }
    Arguments.resize(F->Arguments.size());
    auto R = Torch.call(*F, Arguments, {Line}, Options);
    bool InPlace = !F->Arguments.empty() && F->Arguments[0].Mutated;
    if (!InPlace)
      for (size_t I = 0; I < Results; ++I)
        T.push_back(!Torch.thrown() && !R.empty() && I < R[0].size() ? R[0][I] : Operand());
    return !Torch.thrown();
  }

  bool step(const std::string &Text) {
    ++Line;
    std::istringstream In(Text);
    std::string What, Op;
    In >> What;
    auto Index = [&] {
      size_t I;
      In >> I;
      return I;
    };
    // An operation on an undefined tensor raises, and leaves undefined results.
    auto One = [&](size_t I) { return Argument{{Torch.bind(T[I].T)}, std::nullopt, {}}; };
    if (What == "leaf") {
      T.push_back(Torch.bind(Torch.leaf({Line}, "leaf", Index() != 0)));
    } else if (What == "un") {
      In >> Op;
      size_t A = Index();
      if (!T[A].T)
        return T.push_back({}), false;
      return call(Op == "softmax" ? "softmax.int" : Op, {One(A)});
    } else if (What == "bin") {
      In >> Op;
      size_t A = Index(), B = Index();
      if (!T[A].T || !T[B].T)
        return T.push_back({}), false;
      return call(Op == "mm" ? Op : Op + ".Tensor", {One(A), One(B)});
    } else if (What == "in") {
      In >> Op;
      size_t A = Index();
      if (!T[A].T)
        return false;
      if (Op == "detach_") {
        Torch.detachInPlace(T[A], {Line});
        return !Torch.thrown();
      }
      return call(Op, {One(A)});
    } else if (What == "inbin") {
      In >> Op;
      size_t A = Index(), B = Index();
      if (!T[A].T || !T[B].T)
        return false;
      return call(Op == "copy_" ? Op : Op + ".Tensor", {One(A), One(B)});
    } else if (What == "inscalar") {
      In >> Op;
      size_t A = Index();
      if (!T[A].T)
        return false;
      return call(Op == "fill_" ? "fill_.Scalar" : Op + ".Tensor",
                  {One(A), Argument{{}, 1.5, {}}});
    } else if (What == "view") {
      In >> Op;
      size_t A = Index();
      if (!T[A].T)
        return T.push_back({}), false;
      if (Op == "row") {
        CallOptions Options;
        Options.Part = Region{static_cast<int>(Index())};
        return call("select.int", {One(A)}, Options);
      }
      return call(Op == "t" ? "t" : "view", {One(A)});
    } else if (What == "unbind") {
      size_t A = Index();
      if (!T[A].T)
        return T.insert(T.end(), 3, Operand()), false;
      CallOptions Options;
      Options.ListSize = 3;
      return call("unbind.int", {One(A)}, Options, 3);
    } else if (What == "detach" || What == "data") {
      size_t A = Index();
      if (!T[A].T)
        return T.push_back({}), false;
      T.push_back(Torch.bind(
          Torch.detached(T[A], What == "detach" ? Alias::Detach : Alias::Data, {Line})));
    } else if (What == "rg") {
      size_t A = Index();
      size_t On = Index();
      if (!T[A].T)
        return On == 0; // there is nothing to switch off, and nothing to switch on
      Torch.setRequiresGrad(T[A], On != 0, {Line});
      return !Torch.thrown();
    } else if (What == "nograd") {
      Torch.S.GradMode = false;
    } else if (What == "grad") {
      Torch.S.GradMode = true;
    } else if (What == "backward") {
      size_t A = Index();
      bool Retain = Index() != 0;
      if (!T[A].T)
        return false;
      const facts::OpFact *Sum = Facts.op("sum");
      std::vector<Argument> Arguments(Sum->Arguments.size());
      Arguments[0] = One(A);
      auto R = Torch.call(*Sum, Arguments, {Line});
      if (Torch.thrown() || R.empty() || R[0].empty())
        return false; // sum() itself raises
      Torch.backward(R[0][0], Retain, {Line});
      Stopped = Torch.thrown();
      return !Stopped;
    } else if (What == "zerograd") {
      std::vector<TensorId> All;
      for (const Operand &X : T)
        if (X.T && Torch.isLeaf(X.T))
          All.push_back(X.T);
      Torch.zeroGrad(All, true);
    }
    return true;
  }
};

} // namespace

std::vector<std::string> predict(const Program &P, int Major, int Minor, int Patch) {
  return Runner(facts::FactTable::forVersion({Major, Minor, Patch})).run(P);
}

} // namespace torch_tidy::test
