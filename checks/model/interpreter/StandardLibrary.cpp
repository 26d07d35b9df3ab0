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
    if (auto Owner = ownerOf(To))
      bufferWritten(*Owner, C.At);
    if (To.K == Value::RawData) {
      std::vector<Operand> From;
      for (CellId A : C.Arguments)
        if (const Value &V = get(A); V.K == Value::RawData && V.T.T != To.T.T)
          From.push_back(V.T);
      Torch.rawWrite(To.T, N.str(), From, C.At);
      return cell(To);
    }
  }
  if (!Std) {
    if ((C.Operator == OO_EqualEqual || C.Operator == OO_ExclaimEqual) && C.Arguments.size() == 2 &&
        !argumentFrom(Arg(0)).Tensors.empty())
      return std::nullopt;
    return std::nullopt;
  }
  if (C.Arguments.size() == 1 &&
      isOneOf(N, {"move", "forward", "as_const", "ref", "cref", "addressof", "ref", "begin", "end",
                  "cbegin", "cend", "back_inserter", "inserter", "launder", "static_pointer_cast",
                  "dynamic_pointer_cast", "unwrap_ref"})) {
    if (N == "begin" || N == "end" || N == "cbegin" || N == "cend") {
      if (!Arg(0).isObject())
        return C.Arguments[0];
      ObjectId I = object(Object::Iterator);
      CellId Holder = C.Arguments[0];
      int Size = static_cast<int>(P.Objects[Arg(0).O].Elements.size());
      P.Objects.edit(I).Elements = {Holder};
      P.Objects.edit(I).Position = N.ends_with("end") ? Size : 0;
      return cell(Value::object(I));
    }
    if (N == "addressof")
      return cell(Arg(0).isObject() ? Arg(0) : Value::pointer(C.Arguments[0]));
    return C.Arguments[0];
  }
  if (Q == "std::get" && C.Arguments.size() == 1) {
    const Value V = Arg(0);
    if (const TemplateArgumentList *T = C.Callee->getTemplateSpecializationArgs();
        T && T->size() && V.isObject()) {
      const Object X = P.Objects[V.O];
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
  // Comparisons and arithmetic of iterators.
  if (C.Operator != OO_None && C.Arguments.size() == 2 && Arg(0).isObject() &&
      P.Objects[Arg(0).O].K == Object::Iterator) {
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
  // Algorithms that call back.
  if (isOneOf(N, {"for_each", "transform", "accumulate", "generate", "for_each_n"})) {
    Value Callable, Range, Out;
    for (size_t I = 0; I < C.Arguments.size(); ++I) {
      Value V = Arg(I);
      if (V.K == Value::Function || (V.isObject() && P.Objects[V.O].K == Object::Closure))
        Callable = V;
      if (V.isObject() && (P.Objects[V.O].K == Object::Iterator || P.Objects[V.O].K == Object::Sequence)) {
        Value S = P.Objects[V.O].K == Object::Iterator ? get(P.Objects[V.O].Elements[0]) : V;
        if (!Range.isObject())
          Range = S;
        else if (S.isObject() && S.O != Range.O)
          Out = S;
      }
    }
    if ((Callable.K == Value::Function || Callable.isObject()) && Range.isObject()) {
      QualType T = C.ResultType;
      if (Callable.isObject() && P.Objects[Callable.O].Callee)
        T = P.Objects[Callable.O].Callee->getReturnType().getNonReferenceType();
      CellId Last = N == "accumulate" && C.Arguments.size() > 2 ? C.Arguments[2] : CellId();
      size_t K = 0;
      for (CellId X : std::vector<CellId>(P.Objects[Range.O].Elements)) {
        std::vector<CellId> In;
        if (N == "accumulate")
          In = {Last, X};
        else
          In = {X};
        CellId R = invoke(Callable, In, T, C.At);
        if (N == "accumulate")
          Last = cell(get(R));
        if (N == "transform") {
          ObjectId To = Out.isObject() ? Out.O : Range.O;
          if (K < P.Objects[To].Elements.size()) {
            CellId Slot = P.Objects[To].Elements[K];
            set(Slot, get(R));
          } else if (K < MostElements) {
            CellId New = cell(get(R));
            P.Objects.edit(To).Elements.push_back(New);
          }
        }
        ++K;
      }
      return N == "accumulate" && Last ? Last : cell(fresh());
    }
  }
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

} // namespace torch_tidy::model
