// Free functions of the standard library.
#include "interpreter/Interpreter.h"

#include "clang/AST/DeclTemplate.h"
#include "clang/AST/Expr.h"

using namespace clang;

namespace torch_tidy::model {

/// Free functions of the standard library.
std::optional<CellId> Interpreter::standardFunction(Call &C) {
  llvm::StringRef Q = C.Qualified, N = C.Name;
  auto Arg = [&](size_t I) { return I < C.Arguments.size() ? get(C.Arguments[I]) : Value(); };
  bool Std = Q.starts_with("std::") || Q.starts_with("__gnu_cxx::");
  if (N == "memcpy" || N == "memset" || N == "memmove" || Q == "std::copy" || Q == "std::fill" ||
      Q == "std::fill_n" || Q == "std::copy_n" || Q == "std::iota" || Q == "std::transform" ||
      Q == "std::reverse" || Q == "std::sort" || Q == "std::replace" ||
      Q == "std::generate" || Q == "std::generate_n" || Q == "std::shuffle") {
    size_t Target = 0;
    if (N == "copy" || N == "copy_n")
      Target = C.Arguments.size() - 1;
    else if (N == "transform")
      Target = C.Arguments.size() - 2;
    Value To = Arg(Target);
    std::vector<Operand> From;
    for (CellId A : C.Arguments)
      if (const Value &V = get(A); V.K == Value::RawData && V.T.T != To.T.T)
        From.push_back(V.T);
    if (auto Owner = ownerOf(To)) {
      bufferWritten(*Owner, C.At);
      fillWithNumbers(*Owner, From, C.At);
    }
    if (To.K == Value::RawData) {
      Torch.rawWrite(To.T, N.str(), From, C.At);
      return cell(To);
    }
  }
  if (C.Operator == OO_LessLess && C.Arguments.size() == 2 && !Arg(0).isTensor() &&
      C.ResultType->isRecordType() && !Kinds.isTensor(C.ResultType)) {
    for (const Operand &X : tensorsIn(Arg(1))) // std::cout << tensor
      Torch.read(X.T);
    return C.Arguments[0];
  }
  // <cmath> has the functions of C in both scopes.
  bool Math = !Std && !isUser(C.Callee) && !C.Method && !Q.contains("::") &&
              C.ResultType->isArithmeticType() && !C.Arguments.empty() && C.Arguments.size() <= 2;
  for (const ParmVarDecl *X : C.Callee->parameters())
    Math &= X->getType()->isArithmeticType();
  if (!Std && !Math) {
    if ((C.Operator == OO_EqualEqual || C.Operator == OO_ExclaimEqual) && C.Arguments.size() == 2 &&
        !argumentFrom(Arg(0)).Tensors.empty())
      return std::nullopt;
    return std::nullopt;
  }
  // Texts that are known stay so: they are keys of maps and names of modules.
  if (N == "to_string" && C.Arguments.size() == 1 && Arg(0).K == Value::Integer)
    return cell(text(std::to_string(Arg(0).I)));
  if (C.Operator == OO_Plus && C.Arguments.size() == 2 &&
      Kinds.kind(C.ResultType) == ClassKind::String) {
    std::optional<std::string> Left = textOf(Arg(0)), Right = textOf(Arg(1));
    return cell(Left && Right ? text(*Left + *Right) : fresh());
  }
  if (C.Arguments.size() == 1 &&
      isOneOf(N, {"move", "forward", "as_const", "ref", "cref", "addressof", "ref", "begin", "end",
                  "cbegin", "cend", "back_inserter", "front_inserter", "launder", "static_pointer_cast",
                  "dynamic_pointer_cast", "unwrap_ref"})) {
    if (N == "begin" || N == "end" || N == "cbegin" || N == "cend") {
      if (!Arg(0).isObject())
        return C.Arguments[0];
      int Size = static_cast<int>(P.Objects[Arg(0).O].Elements.size());
      return iteratorAt(C.Arguments[0], N.ends_with("end") ? Size : 0);
    }
    if (N == "addressof")
      return cell(Arg(0).isObject() ? Arg(0) : Value::pointer(C.Arguments[0]));
    return C.Arguments[0];
  }
  if (Q == "std::get" && C.Arguments.size() == 1) {
    const Value V = Arg(0);
    QualType Of = C.Callee->getParamDecl(0)->getType();
    if (Kinds.kind(Of) == ClassKind::Variant)
      return V.K == Value::Unknown ? cell(externalValue(C.ResultType, C.At, "get")) : C.Arguments[0];
    if (const TemplateArgumentList *T = C.Callee->getTemplateSpecializationArgs();
        T && T->size() && V.isObject()) {
      const Object X = P.Objects[V.O];
      if ((*T)[0].getKind() == TemplateArgument::Type) {
        std::vector<QualType> Types =
            Types::typeArguments(Of.getNonReferenceType()->getAsCXXRecordDecl());
        for (size_t I = 0; I < Types.size() && I < X.Elements.size(); ++I)
          if (Context.hasSameType(Types[I], (*T)[0].getAsType()))
            return X.Elements[I];
      }
      if ((*T)[0].getKind() == TemplateArgument::Integral) {
        size_t I = (*T)[0].getAsIntegral().getExtValue();
        if (I < X.Elements.size())
          return X.Elements[I];
      }
    }
    return cell(externalValue(C.ResultType, C.At, "get"));
  }
  if (N == "tie" || N == "forward_as_tuple") {
    ObjectId T = object(Object::Tuple);
    P.Objects.edit(T).Elements = C.Arguments;
    return cell(Value::object(T));
  }
  if (N == "make_tuple" || N == "make_pair") {
    std::vector<CellId> Elements;
    for (CellId A : C.Arguments)
      Elements.push_back(cell(copy(get(A))));
    ObjectId T = object(Object::Tuple);
    P.Objects.edit(T).Elements = std::move(Elements);
    return cell(Value::object(T));
  }
  if ((N == "swap" || N == "exchange") && C.Arguments.size() == 2) {
    Value A = Arg(0), B = Arg(1);
    set(C.Arguments[0], B);
    if (N == "swap") {
      set(C.Arguments[1], A);
      return cell();
    }
    return cell(A);
  }
  if (N == "make_shared" || N == "make_unique" || N == "make_optional") {
    if (const TemplateArgumentList *T = C.Callee->getTemplateSpecializationArgs();
        T && T->size() && (*T)[0].getKind() == TemplateArgument::Type) {
      QualType Inner = (*T)[0].getAsType();
      if (const CXXRecordDecl *R = Inner->getAsCXXRecordDecl())
        return cell(makeObject(R, C.Arguments, C.At));
      return cell(Value::pointer(cell(C.Arguments.empty() ? defaultValue(Inner) : Arg(0))));
    }
  }
  if (N == "inserter" && C.Arguments.size() == 2)
    return C.Arguments[0];
  if (Q == "std::to_string" && Arg(0).K == Value::Integer)
    return cell(text(std::to_string(Arg(0).I)));
  if (C.Operator == OO_Plus && Kinds.kind(C.ResultType) == ClassKind::String &&
      C.Arguments.size() == 2) {
    if (auto A = textOf(Arg(0)), B = textOf(Arg(1)); A && B)
      return cell(text(*A + *B));
    if (Arg(0).Symbol && Arg(1).Symbol)
      return cell(symbol("cat:" + std::to_string(Arg(0).Symbol) + "+" +
                         std::to_string(Arg(1).Symbol)));
    return cell(fresh());
  }
  // Comparisons and arithmetic of iterators.
  if (C.Operator == OO_Plus && C.Arguments.size() == 2 && isIterator(Arg(1)))
    return cell(arithmetic(BO_Add, Arg(1), Arg(0)));
  if (C.Operator != OO_None && C.Arguments.size() == 2 && isIterator(Arg(0))) {
    Call Method = C;
    Method.Self = C.Arguments[0];
    Method.Arguments = {C.Arguments[1]};
    return iteratorCall(Method);
  }
  if (C.Operator == OO_EqualEqual || C.Operator == OO_ExclaimEqual) {
    if (C.Arguments.size() == 2)
      return cell(arithmetic(C.Operator == OO_EqualEqual ? BO_EQ : BO_NE, Arg(0), Arg(1)));
  }
  if (C.Operator == OO_LessLess || C.Operator == OO_GreaterGreater) { // streams
    forgetGiven(C);
    return C.Arguments.empty() ? cell() : C.Arguments[0];
  }
  if (std::optional<CellId> R = variantFunction(C))
    return R;
  if (std::optional<CellId> R = callingFunction(C))
    return R;
  if (std::optional<CellId> R = algorithm(C))
    return R;
  std::vector<Operand> Operands;
  for (CellId A : C.Arguments)
    for (const Operand &X : tensorsIn(get(A)))
      Operands.push_back(X);
  if (Operands.empty() && !Kinds.isTensor(C.ResultType)) {
    forgetGiven(C);
    if (!C.Arguments.empty() && C.ResultType->isArithmeticType()) {
      // A pure function of numbers: equal questions, equal answers.
      std::string Key = C.Qualified + "(";
      Operand Origin;
      bool Pure = true;
      for (CellId A : C.Arguments) {
        const Value &V = get(A);
        for (const Operand &X : numbersIn(V)) {
          Value Old, New;
          Old.T = Origin;
          New.T = X;
          Origin = mergedOrigin(Old, New);
        }
        if (V.K == Value::Integer)
          Key += std::to_string(V.I) + ",";
        else if (V.K == Value::Floating)
          Key += std::to_string(V.D) + ",";
        else if (V.Symbol)
          Key += (V.Negated ? "!" : "") + std::to_string(V.Symbol) + "s,";
        else
          Pure = false;
      }
      Value R = Pure && N != "rand" ? symbol(Key) : fresh();
      R.T = Origin;
      return cell(R);
    }
    return cell(externalValue(C.ResultType, C.At, N.str()));
  }
  return std::nullopt;
}

/// Functions on variants and std::any.
std::optional<CellId> Interpreter::variantFunction(Call &C) {
  llvm::StringRef N = C.Name;
  if (C.Arguments.empty() || !isOneOf(N, {"any_cast", "holds_alternative", "get_if"}))
    return std::nullopt;
  CellId Variant = C.Arguments[0];
  bool ByPointer = get(Variant).K == Value::Pointer;
  if (ByPointer)
    Variant = get(Variant).C;
  const Value V = get(Variant);
  if (V.K == Value::Unknown)
    return cell(externalValue(C.ResultType, C.At, N.str()));
  const TemplateArgumentList *T = C.Callee->getTemplateSpecializationArgs();
  std::optional<bool> Holds;
  if (T && T->size() && (*T)[0].getKind() == TemplateArgument::Type) {
    QualType Wanted = (*T)[0].getAsType().getNonReferenceType();
    if (V.isTensor() || Kinds.isTensor(Wanted))
      Holds = V.isTensor() && Kinds.isTensor(Wanted);
    else if (V.K == Value::Null || (V.isKnownNumber() && Wanted->isRecordType()))
      Holds = false;
    else if (V.isObject() && Wanted->isArithmeticType())
      Holds = false;
    else if (V.isObject() && P.Objects[V.O].Class && Wanted->getAsCXXRecordDecl())
      Holds = P.Objects[V.O].Class->getCanonicalDecl() ==
              Wanted->getAsCXXRecordDecl()->getCanonicalDecl();
  }
  if (N == "holds_alternative")
    return cell(Holds ? Value::integer(*Holds) : fresh());
  if (Holds == false) {
    if (N == "any_cast" && !ByPointer)
      throw ProgramException();
    return cell(Value::null());
  }
  return ByPointer || N == "get_if" ? cell(V.isObject() ? V : Value::pointer(Variant)) : Variant;
}

/// std::plus and its kin, without a body here: "plus", "multiplies".
CellId Interpreter::combined(llvm::StringRef Object, const Value &A, const Value &B, Site At) {
  struct Row {
    llvm::StringRef Name;
    BinaryOperatorKind K;
    const char *Operator;
  };
  static constexpr Row Rows[] = {
      {"plus", BO_Add, "add.Tensor"},      {"minus", BO_Sub, "sub.Tensor"},
      {"multiplies", BO_Mul, "mul.Tensor"}, {"divides", BO_Div, "div.Tensor"},
      {"less", BO_LT, "lt.Tensor"},        {"greater", BO_GT, "gt.Tensor"},
      {"equal_to", BO_EQ, "eq.Tensor"},    {"not_equal_to", BO_NE, "ne.Tensor"}};
  for (const Row &X : Rows)
    if (X.Name == Object) {
      if (!A.isTensor() && !B.isTensor())
        return cell(arithmetic(X.K, A, B));
      const facts::OpFact *Op = Facts.op(X.Operator);
      if (!Op)
        break;
      std::vector<autograd::Argument> Arguments(Op->Arguments.size());
      Arguments[0] = argumentFrom(A);
      Arguments[1] = argumentFrom(B);
      auto R = Torch.call(*Op, Arguments, At, {});
      checkThrown();
      return cell(R.empty() || R[0].empty() ? Value() : Value::tensor(R[0][0]));
    }
  return {};
}

/// Functions that call what they are given.
std::optional<CellId> Interpreter::callingFunction(Call &C) {
  llvm::StringRef N = C.Name;
  if (C.Arguments.empty())
    return std::nullopt;
  auto Rest = [&] { return std::vector<CellId>(C.Arguments.begin() + 1, C.Arguments.end()); };
  const Value F = get(C.Arguments[0]);
  if (N == "apply" && C.Arguments.size() == 2) {
    const Value Tuple = get(C.Arguments[1]);
    if (Tuple.isObject() && (P.Objects[Tuple.O].K == Object::Tuple ||
                             P.Objects[Tuple.O].K == Object::Sequence))
      return invoke(F, P.Objects[Tuple.O].Elements, C.ResultType, C.At);
  }
  if (N == "visit" || N == "invoke")
    return invoke(F, Rest(), C.ResultType, C.At);
  if (N != "bind" && N != "bind_front")
    return std::nullopt;
  // Elements: what is called, then its arguments; Keys: the number of a placeholder, or 0.
  ObjectId O = object(Object::Closure, N.str());
  std::vector<CellId> Bound;
  std::vector<Value> Keys;
  for (size_t I = 0; I < C.Arguments.size(); ++I) {
    const Value V = get(C.Arguments[I]);
    int64_t Placeholder = 0;
    bool Reference = false;
    if (I < C.Written.size() && C.Written[I]) {
      QualType T = C.Written[I]->getType();
      if (const auto *R =
              dyn_cast_or_null<ClassTemplateSpecializationDecl>(T->getAsCXXRecordDecl());
          R && R->getName() == "_Placeholder" && R->getTemplateArgs().size() == 1 &&
          R->getTemplateArgs()[0].getKind() == TemplateArgument::Integral)
        Placeholder = R->getTemplateArgs()[0].getAsIntegral().getExtValue();
      Reference = Kinds.kind(T) == ClassKind::ReferenceWrapper;
    }
    Keys.push_back(Value::integer(Placeholder));
    // std::ref() arguments are references, the others copies.
    Bound.push_back(!Reference                ? cell(copy(V))
                    : V.K == Value::Pointer ? V.C
                                              : C.Arguments[I]);
  }
  P.Objects.edit(O).Elements = std::move(Bound);
  P.Objects.edit(O).Keys = std::move(Keys);
  return cell(Value::object(O));
}

} // namespace torch_tidy::model
