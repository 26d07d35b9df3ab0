// Tensor methods that are no operators of the dispatcher: indexing, aliases, autograd's own, questions.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"

using namespace clang;

namespace torch_tidy::model {

using autograd::Alias;
using autograd::Argument;

/// Note [Index]
/// index({...}) with integers, slices, None and Ellipsis is a view: assigning to it writes the
/// base. With a tensor among the indices it gathers into a fresh tensor: assigning to that writes
/// a temporary.
Operand Interpreter::indexed(Operand Base, const Value &Index, Site At, bool &Copies) {
  autograd::Region Part;
  std::vector<Operand> Masks;
  std::vector<CellId> Elements;
  if (Index.isObject() && P.Objects[Index.O].K == Object::Sequence)
    Elements = P.Objects[Index.O].Elements;
  else
    Elements.push_back(cell(Index));
  for (CellId E : Elements) {
    const Value V = get(E);
    if (V.K == Value::Tensor)
      Masks.push_back(V.T);
    else
      Part.push_back(V.K == Value::Integer && V.I >= 0 && V.I < autograd::FirstChunk
                         ? static_cast<int>(V.I)
                         : -1);
  }
  Copies = !Masks.empty();
  if (const facts::OpFact *Op = Copies ? Facts.op("index.Tensor") : Facts.op("select.int")) {
    std::vector<Argument> Arguments(Op->Arguments.size());
    Arguments[0].Tensors = {Base};
    if (Copies && Arguments.size() > 1)
      Arguments[1].Tensors = Masks;
    autograd::CallOptions Options;
    Options.Part = Part;
    auto R = Torch.call(*Op, Arguments, At, Options);
    if (!R.empty() && !R[0].empty())
      return R[0][0];
  }
  return Torch.callUnknown("index", {Base}, At);
}

namespace {

/// torch::kDouble and its like, where a conversion is asked for by such a constant.
llvm::StringRef askedFor(llvm::ArrayRef<const Expr *> Written) {
  const Expr *E = Written.empty() ? nullptr : Written[0]->IgnoreUnlessSpelledInSource();
  while (const auto *X = dyn_cast_or_null<CXXConstructExpr>(E))
    E = X->getNumArgs() ? X->getArg(0)->IgnoreUnlessSpelledInSource() : nullptr;
  const auto *D = dyn_cast_or_null<DeclRefExpr>(E);
  return D && D->getDecl()->getDeclName().isIdentifier() ? D->getDecl()->getName() : "";
}

/// What factories do not make.
bool isOtherFloatingType(llvm::StringRef Name) {
  return isOneOf(Name, {"kDouble", "kFloat64", "kHalf", "kFloat16", "kBFloat16", "Double", "Half",
                        "BFloat16"});
}

} // namespace

/// Whether a conversion of a leaf that requires grad gives a tensor of its own, and no leaf any more,
/// or the leaf itself. Where the type or device is not known, what follows is only possible.
std::optional<bool> Interpreter::convertsLeaf(Call &C, const Operand &T) const {
  if (!isOneOf(C.Name, {"to", "cpu", "cuda", "contiguous", "toType"}) ||
      !Torch.S.Tensors[T.T].LeafRequiresGrad)
    return std::nullopt;
  if (C.Name == "cpu" || C.Name == "contiguous")
    return false;
  if (C.Name == "cuda")
    return true;
  llvm::StringRef Name = askedFor(C.Written);
  if (isOneOf(Name, {"kFloat", "kFloat32", "kCPU", "Float", "CPU"}))
    return false; // what factories make
  if (!isOtherFloatingType(Name) && !isOneOf(Name, {"kCUDA", "CUDA"}))
    C.At.Conditional = true;
  return true;
}

/// Whether it is a parameter that is converted to another type than it has: to a copy, whatever the
/// device.
bool Interpreter::copiesLeaf(const Call &C) const {
  const Operand T = C.Self ? tensorOperand(C.Self) : Operand();
  return T.T && !ModulesConverted && isOneOf(C.Name, {"to", "toType"}) && Torch.S.Tensors[T.T].LeafRequiresGrad &&
         isOtherFloatingType(askedFor(C.Written));
}

/// What is not an operator of the dispatcher: aliases, autograd's own methods, questions.
std::optional<CellId> Interpreter::tensorSpecial(Call &C) {
  llvm::StringRef N = C.Name;
  Operand T = C.Self ? tensorOperand(C.Self) : Operand();
  auto Arg = [&](size_t I) { return I < C.Arguments.size() ? get(C.Arguments[I]) : Value(); };
  auto Tensor = [&](TensorId X) { return cell(Value::tensor(Torch.bind(X))); };

  if (C.Operator == OO_Equal && C.Self) {
    bool Assigns = C.Method && C.Method->getRefQualifier() == RQ_RValue;
    Value R = Arg(0);
    if (!Assigns && R.K == Value::Tensor) {
      noteRebinding(C, R);
      const auto *Written = dyn_cast_or_null<CXXOperatorCallExpr>(C.E);
      if (rebind(C.Self, R, Written ? Written->getArg(0) : nullptr, C.At)) {
        // h = h.tanh_(), h = torch::tanh_(h)
        const auto *Call = C.Written.empty() || !C.Written[0]
                               ? nullptr
                               : dyn_cast<CallExpr>(C.Written[0]->IgnoreUnlessSpelledInSource());
        if (Call && !isa<CXXMemberCallExpr>(Call) &&
            (!Call->getDirectCallee() || isUser(Call->getDirectCallee())))
          Call = nullptr;
        const auto *Left =
            Written ? dyn_cast<DeclRefExpr>(Written->getArg(0)->IgnoreParenImpCasts()) : nullptr;
        if (Call && T.T && T.T == R.T.T && Left && !isa<ParmVarDecl>(Left->getDecl()))
          Torch.resultIsBound(T, site(Call)), R.T.Seen = Torch.bind(R.T.T).Seen;
        R = secondName(R, C.Written.empty() ? nullptr : C.Written[0]);
        R.Bound = C.At;
        if (auto Owner = P.GradientCells.find(C.Self); Owner != P.GradientCells.end())
          Torch.setGrad(Owner->second, R.T, C.At);
        keep(R, containerOf(Written ? Written->getArg(0) : nullptr, C.Self), C.At);
        set(C.Self, R);
        llvm::StringRef Name;
        if (const Expr *Left = Written ? Written->getArg(0)->IgnoreParenImpCasts() : nullptr) {
          if (const auto *M = dyn_cast<MemberExpr>(Left))
            Name = M->getMemberDecl()->getName();
          if (const auto *D = dyn_cast<DeclRefExpr>(Left))
            Name = D->getDecl()->getName();
        }
        keep(C.Self, C.At, Name);
      }
      return C.Self;
    }
    // t[i] = x, t.data() = x: writes into the left side.
    const facts::OpFact *Op = Facts.op(R.K == Value::Tensor ? "copy_" : "fill_.Scalar");
    if (Op && T.T) {
      std::vector<Argument> Arguments(Op->Arguments.size());
      Arguments[0].Tensors = {T};
      if (Arguments.size() > 1)
        Arguments[1] = argumentFrom(R);
      Torch.call(*Op, Arguments, C.At, {});
      checkThrown();
    }
    return C.Self;
  }
  if (!C.Self)
    return std::nullopt;
  if (N == "defined" && T.T && Torch.S.Tensors[T.T].PerhapsUndefined)
    return cell(symbol("defined?" + std::to_string(T.T.Value)));
  if (N == "defined")
    return cell(Value::integer(T.T ? 1 : 0));
  if (!T.T) {
    // Most methods of an undefined tensor raise; for one that is not followed nothing is known.
    if (N == "reset")
      return cell();
    if (N == "numel" && get(C.Self).isTensor())
      return cell(Value::integer(0));
    return std::nullopt;
  }
  if (N == "operator[]" || N == "index") {
    bool Copies = false;
    Value Index = Arg(0);
    if (N == "operator[]" && Index.K == Value::Tensor)
      Index = fresh(); // TensorBase operator[](Tensor): a scalar, read as a number
    Operand R = indexed(T, Index, C.At, Copies);
    checkThrown();
    return cell(Value::tensor(R));
  }
  if (N == "index_put_") {
    // (indices, value): the part is not told apart; values that require grad enter the graph.
    const facts::OpFact *Op = Facts.op("index_put_");
    if (!Op)
      return std::nullopt;
    std::vector<Argument> Arguments(Op->Arguments.size());
    bool Copies = false;
    // Constant indices cover a part only, so that part is what is written.
    Operand Part = T;
    (void)Copies;
    Arguments[0].Tensors = {Part};
    if (Arguments.size() > 2)
      Arguments[2] = argumentFrom(Arg(1));
    Torch.call(*Op, Arguments, C.At, {});
    checkThrown();
    return C.Self;
  }
  if (std::optional<bool> Copies = convertsLeaf(C, T)) {
    if (!*Copies)
      return C.Self;
  }
  if (N == "detach" || N == "tensor_data")
    return Tensor(Torch.detached(T, Alias::Detach, C.At));
  if (N == "data" || N == "variable_data")
    return Tensor(Torch.detached(T, Alias::Data, C.At));
  if (isOneOf(N, {"data_ptr", "mutable_data_ptr", "const_data_ptr", "accessor",
                  "packed_accessor", "packed_accessor32", "packed_accessor64", "data_ptr_impl"}) ||
      (N == "data" && C.ResultType->isPointerType())) {
    Value V;
    V.K = Value::RawData;
    V.T = Torch.bind(Torch.detached(T, Alias::RawPointer, C.At, C.Name.str() + "()",
                                    autograd::CutBy::Number));
    return cell(V);
  }
  if (N == "detach_") {
    Torch.detachInPlace(T, C.At);
    checkThrown();
    return C.Self;
  }
  if (N == "set_data") {
    if (Arg(0).K == Value::Tensor)
      Torch.setData(T, Arg(0).T, C.At);
    return cell();
  }
  if (N == "requires_grad_" || N == "set_requires_grad") {
    Value V = C.Arguments.empty() ? Value::integer(1) : Arg(0);
    if (std::optional<bool> On = known(V))
      Torch.setRequiresGrad(T, *On, C.At, N == "requires_grad_");
    else
      untracked("requires_grad_ with an unknown flag");
    return C.Self;
  }
  if (N == "requires_grad")
    return cell(Torch.S.Tensors[T.T].Untracked ? fresh()
                                               : Value::integer(Torch.requiresGrad(T.T)));
  if (N == "is_leaf")
    return cell(Value::integer(Torch.isLeaf(T.T)));
  if (N == "backward") {
    bool Retain = false;
    if (C.Arguments.size() > 1)
      if (Value V = Arg(1); known(V).value_or(false))
        Retain = true;
    if (C.Arguments.size() > 2)
      if (Value V = Arg(2); known(V).value_or(false))
        Retain = true; // create_graph keeps the graph
    backward(get(C.Self), Retain, C.At, {true, accumulateInto(Arg(3))});
    return cell();
  }
  if (N == "grad" || N == "mutable_grad") {
    Value G = gradientOf(T, C.At);
    const autograd::Tensor &Of = Torch.S.Tensors[T.T];
    if (!G.T.T && !G.Symbol && !Of.Untracked && !Of.RetainsGrad && Torch.requiresGrad(T.T) &&
        !Torch.isLeaf(T.T))
      G.Missing = C.At;
    CellId X = cell(G);
    if (!C.ResultType.getNonReferenceType().isConstQualified())
      P.GradientCells[X] = T.T; // through mutable_grad() it can be replaced
    return X;
  }
  if (N == "retain_grad") {
    if (!Torch.S.Tensors[T.T].RetainsGrad) {
      Torch.S.Tensors.edit(T.T).RetainsGrad = true;
      Torch.S.Retained.push_back(T.T);
      ++Torch.S.Effects;
    }
    return cell();
  }
  if (N == "item" || N == "operator double") {
    Value V = fresh();
    V.T = Torch.bind(
        Torch.detached(T, Alias::Detach, C.At, "item()", autograd::CutBy::Number));
    return cell(V);
  }
  if (N == "reset") {
    if (auto Owner = P.GradientCells.find(C.Self); Owner != P.GradientCells.end())
      Torch.setGrad(Owner->second, {}, C.At);
    set(C.Self, Value::tensor({}));
    return cell();
  }
  if (N == "is_same")
    return cell(Value::integer(Arg(0).K == Value::Tensor && Arg(0).T.T == T.T));
  if (isOneOf(N, {"size", "dim", "numel", "sizes", "stride", "strides", "ndimension", "dtype",
                  "scalar_type", "device", "options", "is_cuda", "is_contiguous", "is_floating_point",
                  "layout", "itemsize", "nbytes", "sym_size", "sym_sizes", "get_device", "is_sparse",
                  "is_complex", "element_size", "is_view", "has_storage", "use_count", "name",
                  "is_cpu", "storage_offset", "toString", "unsafeGetTensorImpl", "has_names",
                  "output_nr", "grad_fn", "_version", "is_inference", "retains_grad"})) {
    if (N == "grad_fn") {
      Torch.askHistory(T, C.At);
      checkThrown();
    }
    // A property: the same question has the same answer.
    std::string Key = N.str() + "?" + std::to_string(T.T.Value);
    for (CellId A : C.Arguments) {
      const Value &V = get(A);
      Key += V.K == Value::Integer ? "," + std::to_string(V.I)
                                   : "," + std::to_string(V.Symbol) + "?";
    }
    if (C.ResultType->isArithmeticType() || C.ResultType->isEnumeralType())
      return cell(symbol(Key));
    return cell(externalValue(C.ResultType, C.At, N.str()));
  }
  if (N == "register_hook" || N == "add_hook" || N == "print" || N == "clear_hooks") {
    if (N == "register_hook")
      untracked("gradient hook");
    return cell(fresh());
  }
  return std::nullopt;
}

} // namespace torch_tidy::model
