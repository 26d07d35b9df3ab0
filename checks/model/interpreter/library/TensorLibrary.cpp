// Calls of at::Tensor's methods and of torch::, at:: and torch::nn::functional:: functions.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"
#include "clang/Basic/SourceManager.h"

using namespace clang;

namespace torch_tidy::model {

namespace {

using autograd::Alias;
using autograd::Argument;
using autograd::WriteKind;
using facts::Spelling;

/// The operator behind a C++ operator on tensors.
llvm::StringRef operatorName(OverloadedOperatorKind K, unsigned Operands) {
  switch (K) {
  case OO_Plus:
    return Operands == 1 ? "" : "add";
  case OO_Minus:
    return Operands == 1 ? "neg" : "sub";
  case OO_Star:
    return "mul";
  case OO_Slash:
    return "div";
  case OO_Percent:
    return "remainder";
  case OO_PlusEqual:
    return "add_";
  case OO_MinusEqual:
    return "sub_";
  case OO_StarEqual:
    return "mul_";
  case OO_SlashEqual:
    return "div_";
  case OO_AmpEqual:
    return "bitwise_and_";
  case OO_PipeEqual:
    return "bitwise_or_";
  case OO_CaretEqual:
    return "bitwise_xor_";
  case OO_EqualEqual:
    return "eq";
  case OO_ExclaimEqual:
    return "ne";
  case OO_Less:
    return "lt";
  case OO_LessEqual:
    return "le";
  case OO_Greater:
    return "gt";
  case OO_GreaterEqual:
    return "ge";
  case OO_Amp:
    return "bitwise_and";
  case OO_Pipe:
    return "bitwise_or";
  case OO_Caret:
    return "bitwise_xor";
  case OO_Tilde:
    return "bitwise_not";
  case OO_Exclaim:
    return "logical_not";
  default:
    return "";
  }
}

/// Namespace part of a qualified name: "torch::nn::functional::relu" -> "torch::nn::functional".
llvm::StringRef scopeOf(llvm::StringRef Qualified) { return Qualified.rsplit("::").first; }

} // namespace

std::vector<Operand> Interpreter::tensorsIn(const Value &V, unsigned Depth) const {
  std::vector<Operand> Out;
  if (V.K == Value::Tensor) {
    if (V.T.T)
      Out.push_back(V.T);
  } else if (V.K == Value::Pointer) {
    if (Depth < 6)
      return tensorsIn(get(V.C), Depth + 1);
  } else if (V.isObject() && Depth < 6) {
    const Object &O = P.Objects[V.O];
    if (O.K == Object::Module || O.K == Object::Optimizer)
      return Out;
    for (CellId C : O.Elements)
      for (const Operand &X : tensorsIn(get(C), Depth + 1))
        Out.push_back(X);
    for (const auto &[N, C] : O.Fields)
      for (const Operand &X : tensorsIn(get(C), Depth + 1))
        Out.push_back(X);
  }
  return Out;
}

/// The tensors that the numbers in a value were read from: a number itself, or the elements of a
/// container of numbers.
std::vector<Operand> Interpreter::numbersIn(const Value &V, unsigned Depth) const {
  std::vector<Operand> Out;
  if (V.K == Value::Tensor || Depth > 6)
    return Out;
  auto Add = [&](const Operand &X) {
    if (std::none_of(Out.begin(), Out.end(), [&](const Operand &Y) { return Y.T == X.T; }))
      Out.push_back(X);
  };
  if (V.T.T)
    Add(V.T);
  if (V.K == Value::Pointer) {
    for (const Operand &X : numbersIn(get(V.C), Depth + 1))
      Add(X);
  } else if (V.isObject()) {
    const Object &O = P.Objects[V.O];
    if (O.Name == "TensorDataContainer") // what torch::tensor() takes its numbers in
      for (const auto &[N, C] : O.Fields)
        for (const Operand &X : numbersIn(get(C), Depth + 1))
          Add(X);
    if (O.K != Object::Sequence && O.K != Object::Iterator && O.K != Object::Tuple)
      return Out;
    for (CellId C : O.Elements)
      for (const Operand &X : numbersIn(get(C), Depth + 1))
        Add(X);
  }
  return Out;
}

/// A tensor made of numbers: it depends on what they were read from, without a history.
Operand Interpreter::tensorOfNumbers(const std::vector<Operand> &Numbers, bool OneElement,
                                     Site At) {
  Operand X = Torch.number(Numbers, At);
  Torch.S.Tensors.edit(X.T).Scalar = OneElement;
  Torch.S.Tensors.edit(X.T).MadeBy = "tensor";
  return X;
}

/// A leaf that requires grad, made of numbers that another function read from tensors and returned
/// as such: it is here that they were taken for something to train by.
void Interpreter::leafOfNumbers(TensorId T, Site At) {
  const auto Old = Torch.S.Tensors[T].Depends;
  if (!Old || !Current || !Current->Function)
    return;
  const SourceRange Here = Current->Function->getSourceRange();
  autograd::Dependences D = *Old;
  for (auto &[P, E] : D)
    if (E.Status == autograd::Dependence::Cut && E.By == autograd::CutBy::Number && E.At &&
        !Sources.isPointWithin(location(E.At), Here.getBegin(), Here.getEnd())) {
      E.At = At;
      E.How = "a tensor made of a number";
    }
  Torch.S.Tensors.edit(T).Depends = std::make_shared<const autograd::Dependences>(std::move(D));
}

Argument Interpreter::argumentFrom(const Value &V) {
  Argument A;
  switch (V.K) {
  case Value::Tensor:
  case Value::Object:
  case Value::Pointer:
    A.Tensors = tensorsIn(V);
    break;
  case Value::Integer:
  case Value::Floating:
    A.Constant = V.number();
    break;
  default:
    break;
  }
  A.Numbers = numbersIn(V);
  return A;
}

CellId Interpreter::resultOf(const facts::OpFact &Op, std::vector<std::vector<Operand>> Results,
                             QualType T) {
  std::vector<CellId> Cells;
  for (size_t O = 0; O < Results.size(); ++O) {
    bool List = O < Op.Outputs.size() && Op.Outputs[O].List;
    if (List) {
      ObjectId S = object(Object::Sequence);
      std::vector<CellId> Elements;
      for (const Operand &X : Results[O])
        Elements.push_back(cell(Value::tensor(X)));
      P.Objects.edit(S).Elements = std::move(Elements);
      Cells.push_back(cell(Value::object(S)));
    } else {
      Cells.push_back(cell(Results[O].empty() ? Value() : Value::tensor(Results[O][0])));
    }
  }
  ClassKind K = Kinds.kind(T);
  if (K == ClassKind::Tuple || K == ClassKind::Pair) {
    ObjectId Tuple = object(Object::Tuple);
    P.Objects.edit(Tuple).Elements = Cells;
    return cell(Value::object(Tuple));
  }
  return Cells.empty() ? cell() : Cells[0];
}

/// Whether a dtype among the arguments is one that cannot require grad. The enumerators are those
/// of c10/core/ScalarType.h.
bool Interpreter::asksForIntegral(const Call &C) const {
  auto Integral = [&](const Value &V) {
    return V.K == Value::Integer && ((V.I >= 0 && V.I <= 4) || V.I == 11);
  };
  for (size_t I = 0; I < C.Arguments.size(); ++I) {
    const Value V = get(C.Arguments[I]);
    if (V.isObject() && P.Objects[V.O].K == Object::Options) {
      if (auto F = P.Objects[V.O].field("dtype"))
        return Integral(get(*F));
      continue;
    }
    QualType T = I < C.Callee->getNumParams() ? C.Callee->getParamDecl(I)->getType() : QualType();
    if (!T.isNull() && T.getNonReferenceType().getAsString().find("ScalarType") != std::string::npos)
      return Integral(V);
  }
  return false;
}

/// Options of a loss with reduction(torch::kNone).
bool Interpreter::asksForElements(const Value &V) const {
  if (!V.isObject() || (P.Objects[V.O].K != Object::Options && P.Objects[V.O].K != Object::Module))
    return false;
  auto F = P.Objects[V.O].field("reduction");
  if (!F)
    return false;
  const Value R = get(*F);
  if (R.isObject() && P.Objects[R.O].Class)
    return P.Objects[R.O].Class->getName() == "kNone";
  return R.K == Value::Unknown; // not known to reduce
}

/// What an option of a function of torch::nn::functional is where nobody sets it: its class says so
/// (alpha_dropout() does not train by default, dropout() does).
static std::optional<double> defaultOption(const FunctionDecl *F, llvm::StringRef Name,
                                           const ASTContext &Context) {
  const CXXRecordDecl *Class =
      F && F->getNumParams() == 2
          ? F->getParamDecl(1)->getType().getNonReferenceType()->getAsCXXRecordDecl()
          : nullptr;
  if (!Class || !Class->hasDefinition())
    return std::nullopt;
  for (const FieldDecl *Field : Class->fields()) {
    Expr::EvalResult R;
    if (Field->getName() != (Name + "_").str() || !Field->getInClassInitializer() ||
        !Field->getInClassInitializer()->EvaluateAsRValue(R, Context))
      continue;
    if (R.Val.isInt())
      return static_cast<double>(R.Val.getInt().getExtValue());
    if (R.Val.isFloat())
      return R.Val.getFloat().convertToDouble();
  }
  return std::nullopt;
}

/// F::dropout(x, options): rate and mode from the options, or as they are by default.
void Interpreter::optionsOfDropout(const Call &C, const facts::OpFact &Op,
                                   std::vector<Argument> &Arguments) {
  if (scopeOf(C.Qualified) != "torch::nn::functional" || C.Arguments.size() > 2)
    return;
  const Value Given = C.Arguments.size() == 2 ? get(C.Arguments[1]) : Value();
  if (C.Arguments.size() == 2 && (!Given.isObject() || P.Objects[Given.O].K != Object::Options))
    return;
  auto Fill = [&](size_t A, const char *Name) {
    const auto Field = Given.isObject() ? P.Objects[Given.O].field(Name) : std::nullopt;
    if (!Field)
      Arguments[A].Constant = defaultOption(C.Callee, Name, Context);
    else if (const Value V = get(*Field); V.isKnownNumber())
      Arguments[A].Constant = V.number();
  };
  for (size_t A = 0; A < Op.Arguments.size(); ++A)
    if (Op.Arguments[A].Name == "train" || Op.Arguments[A].Name == "training")
      for (size_t B = 0; B < Op.Arguments.size(); ++B)
        if (Op.Arguments[B].Name == "p") {
          Fill(A, "training");
          Fill(B, "p");
        }
}

CellId Interpreter::applyOperator(Call &C, const facts::OpFact &Op,
                                  const std::vector<int> &ArgumentOf, bool InPlaceActivation) {
  std::vector<Argument> Arguments(Op.Arguments.size());
  bool Method = static_cast<bool>(C.Self);
  if (Method && !Arguments.empty())
    Arguments[0] = argumentFrom(get(C.Self));
  for (size_t I = 0; I < C.Arguments.size(); ++I) {
    int A = I < ArgumentOf.size() ? ArgumentOf[I] : static_cast<int>(I + Method);
    if (A >= 0 && A < static_cast<int>(Arguments.size())) {
      Arguments[A] = argumentFrom(get(C.Arguments[I]));
      Arguments[A].Given =
          I < C.Written.size() && C.Written[I] && !isa<CXXDefaultArgExpr>(C.Written[I]);
    }
  }
  optionsOfDropout(C, Op, Arguments);
  autograd::CallOptions Options;
  if (InPlaceActivation) {
    Options.Writer = C.Discarded ? WriteKind::User : WriteKind::Activation;
    for (CellId A : C.Arguments)
      if (SourceLocation L = inPlaceWritten(get(A)); L.isValid())
        Options.WriteAt = site(L);
  }

  // Which part a selecting view covers, and how many elements a list has.
  auto Constant = [&](const char *Name) -> std::optional<int64_t> {
    for (size_t A = 0; A < Op.Arguments.size(); ++A)
      if (Op.Arguments[A].Name == Name && Arguments[A].Constant)
        return static_cast<int64_t>(*Arguments[A].Constant);
    return std::nullopt;
  };
  llvm::StringRef Base(Op.Name.data(), Op.Name.size());
  Base = Base.split('.').first;
  if (Base == "select" || Base == "narrow" || Base == "slice") {
    autograd::Region Part(static_cast<size_t>(std::clamp<int64_t>(Constant("dim").value_or(0), 0, 8)),
                          -1);
    std::optional<int64_t> Index = Base == "select" ? Constant("index") : std::nullopt;
    bool Fits = Index && *Index >= 0 && *Index < autograd::FirstChunk;
    Part.push_back(Fits ? static_cast<int>(*Index) : -1);
    Options.Part = std::move(Part);
  } else if (Base == "chunk" || Base == "unsafe_chunk") {
    if (auto N = Constant("chunks"); N && *N > 0 && *N <= 16)
      Options.ListSize = static_cast<unsigned>(*N);
  }
  if (Base == "to" || Base == "_to_copy")
    Options.ToIntegral = asksForIntegral(C);
  Options.Copies = copiesLeaf(C);
  for (CellId A : C.Arguments)
    Options.Unreduced |= asksForElements(get(A));
  std::vector<std::vector<Operand>> Results = Torch.call(Op, Arguments, C.At, Options);
  checkThrown();
  bool InPlace = !Op.Arguments.empty() && Op.Arguments[0].Mutated && Method;
  CellId Result = InPlace && C.ResultType->isRecordType() && C.E && C.E->isGLValue()
                      ? C.Self
                      : resultOf(Op, std::move(Results), C.ResultType);
  if (Base == "mul" || Base == "div" || Base == "mul_" || Base == "div_")
    noteFactor(C, Base, Result);
  return Result;
}

Operand Interpreter::tensorOperand(CellId C) const {
  const Value &V = get(C);
  return V.K == Value::Tensor ? V.T : Operand();
}

std::optional<CellId> Interpreter::tensorCall(Call &C) {
  llvm::StringRef Q = C.Qualified;
  bool Method = C.Method && Kinds.kind(C.Method->getParent()) == ClassKind::Tensor;
  if (!Method && C.Method)
    return std::nullopt;
  bool Library = Q.starts_with("torch::") || Q.starts_with("at::") || Q.starts_with("c10::") ||
                 C.Operator != OO_None;
  if (!Library)
    return std::nullopt;
  refuseUndefined(C);
  bool Binds = Method && C.Operator == OO_Equal && C.Method->getRefQualifier() != RQ_RValue;
  for (size_t I = 0; I < C.Arguments.size() && !Binds; ++I)
    if (const Value V = get(C.Arguments[I]);
        V.K == Value::Tensor && !V.T.T && V.Missing && I < C.Callee->getNumParams() &&
        Kinds.isTensor(C.Callee->getParamDecl(I)->getType())) {
      Torch.useMissingGradient(V.Missing, C.At);
      checkThrown();
    }
  if (Method) {
    if (std::optional<CellId> R = tensorSpecial(C))
      return R;
    if (!tensorOperand(C.Self).T) {
      if (Site Asked = get(C.Self).Missing; Asked && get(C.Self).K == Value::Tensor) {
        Torch.useMissingGradient(Asked, C.At);
        checkThrown();
      }
      if (C.ResultType->isVoidType())
        return cell();
      return cell(externalValue(C.ResultType, C.At, C.Name.str()));
    }
  }
  llvm::StringRef Scope = scopeOf(Q);

  // torch::requires_grad(), torch::dtype(...): options by function.
  if (!Method && Kinds.kind(C.ResultType) == ClassKind::Options && C.Arguments.size() <= 1) {
    ObjectId O = object(Object::Options, "TensorOptions");
    CellId X = C.Arguments.empty() ? cell(Value::integer(1)) : C.Arguments[0];
    P.Objects.edit(O).Fields.push_back({C.Name.str(), X});
    return cell(Value::object(O));
  }
  // Initialisers write under a guard of their own.
  if (Scope == "torch::nn::init") {
    if (!C.Arguments.empty() && C.Name.ends_with("_")) {
      const facts::OpFact *Op = Facts.op(C.Name == "zeros_" ? "zero_" : "normal_");
      Operand T = tensorOperand(C.Arguments[0]);
      if (Op && T.T) {
        bool Mode = Torch.S.GradMode;
        Torch.S.GradMode = false;
        std::vector<Argument> Arguments(Op->Arguments.size());
        Arguments[0].Tensors = {T};
        Torch.call(*Op, Arguments, C.At, {});
        Torch.S.GradMode = Mode;
      }
      return C.Arguments[0];
    }
    return cell(fresh());
  }
  if (C.Name == "from_blob" && !C.Arguments.empty()) {
    const Value V = get(C.Arguments[0]);
    if (V.K == Value::RawData)
      return cell(Value::tensor(Torch.bind(Torch.detached(
          V.T, Alias::RawPointer, C.At, "from_blob()", autograd::CutBy::Number))));
    if (std::vector<Operand> Numbers = numbersIn(V); !Numbers.empty())
      return cell(Value::tensor(tensorOfNumbers(Numbers, false, C.At)));
    if (auto Owner = ownerOf(V)) {
      auto It = P.Blobs.find(*Owner);
      TensorId T = Torch.blob(It == P.Blobs.end() ? autograd::StorageId() : It->second, C.At);
      P.Blobs[*Owner] = Torch.S.Tensors[T].Memory;
      return cell(Value::tensor(Torch.bind(T)));
    }
    return cell(Value::tensor(Torch.bind(Torch.leaf(C.At, "from_blob", false))));
  }
  if (C.Name == "tensor" || C.Name == "scalar_tensor" || C.Name == "scalar_to_tensor") {
    TensorId T = Torch.leaf(C.At, "tensor", false);
    Value V = Value::tensor(Torch.bind(T));
    // Built from numbers: what they were read from is lost here.
    std::vector<Operand> Numbers;
    for (CellId A : C.Arguments)
      for (const Operand &X : numbersIn(get(A)))
        Numbers.push_back(X);
    Value Given = C.Arguments.empty() ? Value() : get(C.Arguments[0]);
    if (Given.isObject() && P.Objects[Given.O].Name == "TensorDataContainer" &&
        !P.Objects[Given.O].Fields.empty())
      Given = get(P.Objects[Given.O].Fields[0].second);
    bool OneElement = !C.Arguments.empty() && !Given.isObject();
    if (!Numbers.empty())
      V = Value::tensor(tensorOfNumbers(Numbers, OneElement, C.At));
    else if (OneElement)
      Torch.S.Tensors.edit(T).Scalar = true;
    // With the item() repaired it is the value itself that stands here.
    const bool Itself = Numbers.size() == 1 &&
                        Torch.Repaired.count(Torch.S.Tensors[Numbers[0].T].Made.Number);
    for (CellId A : C.Arguments)
      if (get(A).isObject() && !Itself)
        if (auto F = P.Objects[get(A).O].field("requires_grad"))
          if (known(get(*F)).value_or(false) && V.T.T) {
            Torch.setRequiresGrad(V.T, true, C.At);
            leafOfNumbers(V.T.T, C.At);
          }
    return cell(V);
  }

  // Look the spelling up.
  Spelling::Kind Kind = Method                                  ? Spelling::Method
                        : Scope == "torch::nn::functional"      ? Spelling::Functional
                                                                : Spelling::Function;
  std::string Name = C.Name.str();
  unsigned Operands = static_cast<unsigned>(C.Arguments.size()) + (Method ? 1 : 0);
  if (C.Operator != OO_None) {
    llvm::StringRef Plain = operatorName(C.Operator, Operands);
    if (Plain.empty())
      return Operands == 1 && !C.Arguments.empty() ? std::optional<CellId>(C.Arguments[0])
                                                   : std::nullopt;
    Name = Plain.str();
    if (!Method && Name.back() != '_')
      Kind = Spelling::Function;
    else if (!Method) {
      // A free compound assignment: x += y for a scalar left side does not exist; be safe.
      Kind = Spelling::Method;
    }
  } else if (Scope == "torch::special" || Scope == "at::special") {
    Name = "special_" + Name;
  } else if (Scope == "torch::linalg" || Scope == "at::linalg") {
    Name = "linalg_" + Name;
  } else if (Scope == "torch::fft" || Scope == "at::fft") {
    Name = "fft_" + Name;
  }
  llvm::StringRef Trimmed(Name);
  if (!Method && Kind == Spelling::Function &&
      (Trimmed.starts_with("special_special_") || Trimmed.starts_with("linalg_linalg_")))
    Name = Name.substr(Name.find('_') + 1);

  // Operators are spelled with the types of their operands, which the operator's own overload
  // names: Tensor or Scalar.
  std::vector<std::string> Forms = spelled(C.Callee).ParameterForms;
  if (C.Operator != OO_None && !Method && Kind == Spelling::Function && Forms.size() == 2 &&
      Forms[0] == "Scalar") {
    // 2 * x: the operator takes the tensor first.
    std::swap(C.Arguments[0], C.Arguments[1]);
    std::swap(Forms[0], Forms[1]);
  }
  std::vector<std::string_view> Views(Forms.begin(), Forms.end());
  const Spelling *S = Facts.spelling(Kind, Name, Views);
  if (!S && C.Operator != OO_None)
    if (const facts::OpFact *Op = Facts.op(Name + (Forms.size() && Forms.back() == "Scalar"
                                                       ? ".Scalar"
                                                       : ".Tensor")))
      return applyOperator(C, *Op, {}, false);
  if (!S && Method) // bound by hand in LibTorch (contiguous): spelled as its schema
    if (const facts::OpFact *Op = Facts.op(Name))
      return applyOperator(C, *Op, {}, false);
  if (!S)
    return std::nullopt;

  bool InPlace = false;
  if (S->InPlaceParameter >= 0 && S->InPlaceParameter < static_cast<int>(C.Arguments.size()))
    InPlace = writtenInPlace(get(C.Arguments[S->InPlaceParameter]));
  if (InPlace && S->InPlaceOp)
    return applyOperator(C, *S->InPlaceOp, S->ArgumentOf, true);
  if (!S->Op)
    return std::nullopt;

  // Factories: no tensor goes in.
  bool AnyTensor = Method;
  for (CellId A : C.Arguments) {
    Argument X = argumentFrom(get(A));
    AnyTensor |= !X.Tensors.empty() || !X.Numbers.empty();
  }
  if (!AnyTensor && Kinds.isTensor(C.ResultType)) {
    TensorId T = Torch.leaf(C.At, Name, false);
    if (Name == "zeros")
      Torch.markZero(T, C.At);
    if (!C.Arguments.empty() && isOneElement(get(C.Arguments[0])))
      Torch.S.Tensors.edit(T).Scalar = true;
    for (CellId A : C.Arguments) {
      const Value V = get(A);
      if (V.isObject() && P.Objects[V.O].K == Object::Options)
        if (auto F = P.Objects[V.O].field("requires_grad"))
          if (known(get(*F)).value_or(false))
            Torch.setRequiresGrad(Torch.bind(T), true, C.At);
    }
    return cell(Value::tensor(Torch.bind(T)));
  }
  CellId Result = applyOperator(C, *S->Op, S->ArgumentOf, false);
  // torch::full({n}, value, requires_grad())
  if (!Method && get(Result).K == Value::Tensor && get(Result).T.T)
    for (CellId A : C.Arguments)
      if (const Value V = get(A); V.isObject() && P.Objects[V.O].K == Object::Options)
        if (auto F = P.Objects[V.O].field("requires_grad"); F && known(get(*F)).value_or(false))
          Torch.setRequiresGrad(get(Result).T, true, C.At);
  return Result;
}

/// Sizes of which each is one, or none at all.
bool Interpreter::isOneElement(const Value &Sizes) const {
  if (!Sizes.isObject())
    return false;
  const Object &O = P.Objects[Sizes.O];
  return O.K == Object::Sequence && !O.Open && llvm::all_of(O.Elements, [&](CellId C) {
           return get(C).K == Value::Integer && get(C).I == 1;
         });
}

SourceLocation Interpreter::inPlaceWritten(const Value &V) const {
  if (V.isObject()) {
    if (auto F = P.Objects[V.O].field("inplace"))
      return get(*F).Written;
    return {};
  }
  return V.K == Value::Integer && V.I != 0 ? V.Written : SourceLocation();
}

/// Whether an options object, or a bool, asks for in-place.
bool Interpreter::writtenInPlace(const Value &V) const {
  if (V.isObject()) {
    if (auto F = P.Objects[V.O].field("inplace"))
      return known(get(*F)).value_or(false);
    return false;
  }
  return V.K == Value::Integer && V.I != 0;
}

} // namespace torch_tidy::model
