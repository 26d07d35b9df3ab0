#include "Program.h"

#include "autograd/AbstractTorch.h"

#include <algorithm>
#include <random>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace torch_tidy::test {

using namespace autograd;

Program randomProgram(unsigned Seed, unsigned Length) {
  std::mt19937 R(Seed);
  auto Pick = [&](unsigned N) { return static_cast<unsigned>(R() % N); };
  enum Shape { Matrix, Row, Thin, Scalar };
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
                                        "abs_",  "sin_",     "zero_", "square_", "detach_",
                                        "masked_fill_"};
  static const char *const Binary[] = {"add", "sub", "mul", "div", "mm"};
  static const char *const InBinary[] = {"add_", "sub_", "mul_", "div_", "copy_", "index_put_"};
  static const char *const InScalar[] = {"add_", "mul_", "fill_"};
  auto Any = [&] { return T.size() < 4 || Pick(3) ? T.size() - 1 - Pick(std::min<size_t>(T.size(), 4))
                                                  : Pick(static_cast<unsigned>(T.size())); };
  auto SameShape = [&](size_t A) {
    for (int Try = 0; Try < 20; ++Try)
      if (size_t B = Any(); T[B] == T[A])
        return B;
    return A;
  };
  bool NoGrad = false, Inference = false;
  unsigned Modules = 0, Optimizers = 0;
  std::vector<bool> OfInference; // made in inference mode, or an alias of such
  size_t AliasOf = 0;
  for (unsigned I = 0; I < Length; ++I) {
    while (OfInference.size() < T.size())
      OfInference.push_back(Memory.size() > OfInference.size() && AliasOf < OfInference.size()
                                ? static_cast<bool>(OfInference[AliasOf])
                                : Inference);
    while (Memory.size() < T.size())
      Memory.push_back(Memory.size());
    size_t A = AliasOf = Any();
    auto SharesWithA = [&] { Memory.resize(T.size(), Memory[A]); };
    switch (Pick(26)) {
    case 0:
    case 1:
    case 2:
    case 3:
      Add(std::string("un ") + Unary[Pick(12)] + " " + Str(A));
      if (T[A] == Scalar && P.back().find("softmax") != std::string::npos)
        P.back() = "un clone " + Str(A);
      // Past the autograd keys some kernels bump the version of their fresh result, on which nobody
      // relies; and 1.13's gelu() fails an assertion of its own (MKLDNNCommon.cpp,
      // variable_excluded_from_dispatch).
      if (!Inference && OfInference[A] && (P.back().find("abs") != std::string::npos ||
                                           P.back().find("gelu") != std::string::npos ||
                                           P.back().find("clone") != std::string::npos))
        P.back() = "un neg " + Str(A);
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
      Add(std::string("in ") + InPlace[Pick(11)] + " " + Str(A));
      break;
    case 9:
    case 10:
      if (size_t B = SameShape(A); Memory[A] != Memory[B])
        Add(std::string("inbin ") + InBinary[Pick(T[A] == Scalar ? 5 : 6)] + " " + Str(A) + " " +
            Str(B));
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
        const char *Views[] = {"same ", "same ", "t ", "slice "};
        const char *V = Views[T[A] == Scalar ? Pick(2) : Pick(4)];
        if (T[A] != Matrix && V[0] == 't')
          V = "same ";
        Add(std::string("view ") + V + Str(A));
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
        bool Chunk = Pick(2);
        Add((Chunk ? "chunk " : "unbind ") + Str(A));
        T.insert(T.end(), 3, Chunk ? Thin : Row);
        SharesWithA();
      } else if (Pick(3) == 0) {
        Add((Pick(2) ? "rg " : "rg_ ") + Str(A) + " " + Str(Pick(2)));
      } else if (Pick(4) == 0) {
        Add("gradfn " + Str(A));
      } else if (Inference || !OfInference[A]) { // as abs() above
        Add("un sum " + Str(A));
        T.push_back(Scalar);
      }
      break;
    case 16:
      if (Inference)
        break; // guards nest
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
      if (!NoGrad && !Inference && Pick(2))
        Add("backward " + Str(A) + " " + Str(Pick(3) == 0));
      break;
    case 19:
      if (Pick(4) == 0)
        Add("zerograd");
      break;
    case 20: {
      size_t B = SameShape(A), C = SameShape(A);
      if (Memory[A] == Memory[B] || Memory[A] == Memory[C] || T[A] == Scalar)
        break;
      const char *Ops[] = {"add", "mul", "mm"};
      Add(std::string("out ") + Ops[Pick(T[A] == Matrix ? 3 : 2)] + " " + Str(A) + " " + Str(B) +
          " " + Str(C));
      break;
    }
    case 21:
      // A tensor that shares its memory keeps sharing the old one: only plain ones are told apart.
      if (size_t B = SameShape(A); Memory[A] != Memory[B] && Pick(3) == 0) {
        Add("setdata " + Str(A) + " " + Str(B));
        Memory[A] = Memory[B];
      }
      break;
    case 22: {
      if (Modules >= 3 || Inference)
        break;
      const char *Kinds[] = {"linear", "batchnorm", "layernorm"};
      unsigned K = Pick(3);
      Add(std::string("module ") + Kinds[K]);
      ++Modules;
      T.push_back(K == 0 ? Matrix : Row), T.push_back(Row);
      break;
    }
    case 23:
      if (Modules && T[A] == Matrix) {
        if (Pick(6) == 0)
          Add("mode " + Str(Pick(Modules)) + " " + Str(Pick(2)));
        Add("apply " + Str(Pick(Modules)) + " " + Str(A));
        T.push_back(Matrix);
      }
      break;
    case 24:
      if (Optimizers && Pick(3)) {
        Add("step " + Str(Pick(Optimizers)));
      } else if (size_t B = Any(); B != A && Optimizers < 2) {
        Add(std::string("optimizer ") + (Pick(2) ? "sgd " : "adam ") + Str(A) + " " + Str(B));
        ++Optimizers;
      }
      break;
    default:
      if (!NoGrad && (Inference || Pick(4) == 0)) {
        Inference = !Inference;
        Add(Inference ? "inference" : "normal");
      }
      break;
    }
  }
  if (Inference)
    Add("normal");
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
        << (Torch.S.Tensors[T[I].T].Inference ? 0 : Torch.version(T[I].T));
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
  struct Module {
    const facts::ModuleFact *Fact;
    std::vector<TensorId> Parameters;
    bool Training = true;
  };
  std::vector<Module> Modules;
  struct Optimizer {
    std::vector<TensorId> Held;
    bool Bumps;
  };
  std::vector<Optimizer> Optimizers;
  bool Stopped = false, OldGradMode = true;
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
    auto Constant = [&](const char *Name) {
      return Argument{{Torch.bind(Torch.leaf({Line}, Name, false))}, std::nullopt, {}};
    };
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
      if (Op == "masked_fill_")
        return call("masked_fill_.Scalar", {One(A), Constant("mask"), Argument{{}, 1.5, {}}});
      return call(Op, {One(A)});
    } else if (What == "inbin") {
      In >> Op;
      size_t A = Index(), B = Index();
      if (!T[A].T || !T[B].T)
        return false;
      if (Op == "index_put_")
        return call(Op, {One(A), Constant("indices"), One(B)});
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
      return call(Op == "t" ? "t" : Op == "slice" ? "slice.Tensor" : "view", {One(A)});
    } else if (What == "unbind" || What == "chunk") {
      size_t A = Index();
      if (!T[A].T)
        return T.insert(T.end(), 3, Operand()), false;
      CallOptions Options;
      Options.ListSize = 3;
      return call(What == "chunk" ? "chunk" : "unbind.int", {One(A)}, Options, 3);
    } else if (What == "out") {
      In >> Op;
      size_t A = Index(), B = Index(), C = Index();
      if (!T[A].T || !T[B].T || !T[C].T)
        return false;
      const facts::OpFact *F = Facts.op(Op + ".out");
      std::vector<Argument> Arguments(F->Arguments.size());
      Arguments[0] = One(B);
      Arguments[1] = One(C);
      Arguments.back() = One(A);
      Torch.call(*F, Arguments, {Line});
      return !Torch.thrown();
    } else if (What == "setdata") {
      size_t A = Index(), B = Index();
      if (!T[A].T || !T[B].T)
        return false;
      if (Torch.S.Tensors[T[A].T].Inference != Torch.S.Tensors[T[B].T].Inference)
        return false;
      Torch.setData(T[A], T[B], {Line});
      return !Torch.thrown();
    } else if (What == "module") {
      In >> Op;
      Module M;
      size_t Before = T.size();
      M.Fact = Facts.module(Op == "linear" ? "Linear" : Op == "batchnorm" ? "BatchNorm1d" : "LayerNorm");
      for (const auto &X : M.Fact->Parameters) {
        M.Parameters.push_back(Torch.leaf({Line}, std::string(X.Name), true));
        T.push_back(Torch.bind(M.Parameters.back()));
      }
      // reset_parameters() writes each of them once, under no-grad.
      bool Mode = std::exchange(Torch.S.GradMode, false);
      for (size_t I = Before; I < T.size(); ++I)
        call("fill_.Scalar", {One(I)});
      Torch.S.GradMode = Mode;
      Modules.push_back(M);
    } else if (What == "apply") {
      size_t M = Index(), A = Index();
      if (!T[A].T)
        return T.push_back({}), false;
      std::vector<Operand> Parameters;
      for (TensorId P : Modules[M].Parameters)
        Parameters.push_back(Torch.bind(P));
      auto R = Torch.callModule(*Modules[M].Fact, Modules[M].Training, false, {Torch.bind(T[A].T)},
                                Parameters, 1, {Line}, {});
      T.push_back(!Torch.thrown() && !R.empty() ? R[0] : Operand());
      return !Torch.thrown();
    } else if (What == "mode") {
      size_t M = Index();
      Modules[M].Training = Index() != 0;
    } else if (What == "optimizer") {
      In >> Op;
      size_t A = Index(), B = Index();
      Optimizer O{{T[A].T, T[B].T}, Op == "adam"};
      // optimizer.cpp, add_param_group(): "can't optimize a non-leaf Tensor"
      bool Fits = T[A].T && T[B].T && Torch.isLeaf(T[A].T) && Torch.isLeaf(T[B].T);
      Optimizers.push_back(Fits ? O : Optimizer{{}, false});
      return Fits;
    } else if (What == "step") {
      const Optimizer &O = Optimizers[Index()];
      Torch.step(O.Held, O.Bumps, {Line});
      return !Torch.thrown();
    } else if (What == "inference" || What == "normal") {
      // inference_mode.h: the guard also sets the grad mode, and gives the old one back.
      bool On = What == "inference";
      if (On)
        OldGradMode = Torch.S.GradMode;
      Torch.S.InferenceMode = On;
      Torch.S.GradMode = On ? false : OldGradMode;
    } else if (What == "detach" || What == "data") {
      size_t A = Index();
      if (!T[A].T)
        return T.push_back({}), false;
      T.push_back(Torch.bind(
          Torch.detached(T[A], What == "detach" ? Alias::Detach : Alias::Data, {Line})));
    } else if (What == "rg" || What == "rg_") {
      size_t A = Index();
      size_t On = Index();
      if (!T[A].T)
        return What == "rg" && On == 0; // there is nothing to switch off, and nothing to switch on
      Torch.setRequiresGrad(T[A], On != 0, {Line}, What == "rg_");
      return !Torch.thrown();
    } else if (What == "gradfn") {
      size_t A = Index();
      Torch.askHistory(T[A], {Line});
      return T[A].T && !Torch.thrown();
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
