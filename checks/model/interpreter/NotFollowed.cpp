// Code that is not followed: what it may have done to what it was given.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"
#include "clang/Basic/SourceManager.h"

using namespace clang;

namespace torch_tidy::model {

std::map<std::string, Statistics::Coverage> Interpreter::coverage() const {
  std::map<std::string, Statistics::Coverage> Result;
  for (const auto &[At, Untracked] : UntrackedAt) {
    const SourceLocation Place = Sources.getExpansionLoc(At);
    if (Files.contains(Place))
      continue;
    Statistics::Coverage &File = Result[Sources.getFilename(Place).str()];
    ++File.Expressions;
    File.Untracked += Untracked;
  }
  return Result;
}

bool Interpreter::isNumberOrText(QualType T) const {
  return !T.isNull() && (T->isArithmeticType() || T->isEnumeralType() ||
                         Kinds.kind(T) == ClassKind::String);
}

/// A function that is not followed may have written whatever it was given to write to: numbers and
/// strings are any from here on, containers and records may hold anything more.
void Interpreter::forgetGiven(const Call &C) {
  for (size_t I = 0; I < C.Arguments.size() && I < C.Callee->getNumParams(); ++I) {
    QualType T = C.Callee->getParamDecl(I)->getType();
    if (T->isLValueReferenceType() || T->isPointerType())
      if (!T->getPointeeType().isConstQualified())
        forgetContent(C.Arguments[I]);
  }
  if (C.Self && C.Method && !C.Method->isConst() && get(C.Self).isObject())
    forgetContent(C.Self);
}

void Interpreter::forgetContent(CellId C, unsigned Depth) {
  const Value V = get(C);
  if (V.K == Value::Pointer) {
    if (Depth < 3)
      forgetContent(V.C, Depth + 1);
    return;
  }
  if (V.K == Value::Unknown || V.isKnownNumber()) {
    set(C, fresh());
    return;
  }
  if (!V.isObject() || Depth > 2)
    return;
  switch (P.Objects[V.O].K) {
  case Object::Record:
  case Object::Sequence:
  case Object::Map: {
    if (!P.Objects[V.O].Open || !P.Objects[V.O].External) {
      Object &O = P.Objects.edit(V.O);
      O.Open = O.External = true;
    }
    for (size_t I = 0; I < P.Objects[V.O].Elements.size(); ++I)
      forgetContent(P.Objects[V.O].Elements[I], Depth + 1);
    for (size_t I = 0; I < P.Objects[V.O].Fields.size(); ++I)
      forgetContent(P.Objects[V.O].Fields[I].second, Depth + 1);
    break;
  }
  default:
    break;
  }
}

/// Whether code that gets V can step or clear what is trained.
bool Interpreter::maySee(const Value &V, unsigned Depth) const {
  if (V.K == Value::Tensor)
    return V.T.T && Torch.S.Tensors[V.T.T].LeafRequiresGrad;
  if (V.K == Value::Pointer)
    return Depth < 6 && maySee(get(V.C), Depth + 1);
  if (!V.isObject() || Depth > 5)
    return false;
  const Object &O = P.Objects[V.O];
  if (O.K == Object::Module || O.K == Object::Optimizer)
    return true;
  for (CellId C : O.Elements)
    if (maySee(get(C), Depth + 1))
      return true;
  for (const auto &[N, C] : O.Fields)
    if (maySee(get(C), Depth + 1))
      return true;
  for (const auto &[D, C] : O.Captures)
    if (maySee(get(C), Depth + 1))
      return true;
  return false;
}

CellId Interpreter::notFollowed(Call &C, const std::string &Why) {
  std::vector<Operand> Operands;
  if (C.Self)
    for (const Operand &X : tensorsIn(get(C.Self)))
      Operands.push_back(X);
  for (CellId A : C.Arguments)
    for (const Operand &X : tensorsIn(get(A)))
      Operands.push_back(X);
  forgetGiven(C);
  bool ReturnsTensor = Kinds.isTensor(C.ResultType);
  if (isUser(C.Callee) || Why == "indirect call")
    for (size_t I = 0; I <= C.Arguments.size(); ++I)
      if (CellId A = I ? C.Arguments[I - 1] : C.Self; A && maySee(get(A)))
        Torch.S.TrainedElsewhere = true;
  // Data sets and their transforms give data; what holds a tensor on the way is nobody's loss.
  bool Data = llvm::StringRef(C.Qualified).starts_with("torch::data::");
  if (Data && ReturnsTensor && !Operands.empty())
    if (const facts::OpFact *Op = Facts.op("clone")) {
      std::vector<autograd::Argument> Given(Op->Arguments.size());
      Given[0].Tensors = {Operands.back()};
      auto R = Torch.call(*Op, Given, C.At, {});
      checkThrown();
      if (!R.empty() && !R[0].empty())
        return cell(Value::tensor(R[0][0]));
    }
  if (ReturnsTensor || (!Operands.empty() && !Data))
    untracked(Why);
  // A function of LibTorch's knows no parameters but its operands.
  llvm::StringRef Q = C.Qualified;
  bool Pure = (Q.starts_with("torch::") || Q.starts_with("at::")) && !Q.contains("::jit::") &&
              (!C.Method || Kinds.kind(C.Method->getParent()) == ClassKind::Tensor);
  if (isUser(C.Callee))
    noteHandedOver(C);
  if (ReturnsTensor)
    return cell(Value::tensor(Torch.callUnknown(C.Name.str(), Operands, C.At, !Pure)));
  if (!Operands.empty() && C.ResultType->isRecordType()) {
    // Something that may hold what it was given.
    Value V = externalValue(C.ResultType, C.At, C.Name.str());
    return cell(V);
  }
  // The same question to the same unknown thing has the same answer.
  if (C.Method && C.Method->isConst() && C.Self) {
    const Value Self = get(C.Self);
    std::string Asked;
    bool Known = true;
    for (CellId A : C.Arguments) {
      const Value V = get(A);
      Known &= V.isKnownNumber() || (V.K == Value::Unknown && V.Symbol);
      Asked += (Asked.empty() ? "" : ", ") +
               (V.isKnownNumber() ? std::to_string(V.number())
                                  : (V.Negated ? "!" : "#") + std::to_string(V.Symbol));
    }
    QualType Kind = C.ResultType.getNonReferenceType();
    bool Thing = Kind->isRecordType() && Kinds.kind(Kind) == ClassKind::Other;
    if (Self.K == Value::Unknown && C.Arguments.size() == 1 &&
        (C.Operator == clang::OO_EqualEqual || C.Operator == clang::OO_ExclaimEqual))
      return cell(arithmetic(C.Operator == clang::OO_EqualEqual ? BO_EQ : BO_NE, Self,
                             get(C.Arguments[0])));
    if (Self.K == Value::Unknown && Self.Symbol && C.Arguments.empty())
      return cell(symbol(C.Name.str() + "@" + std::to_string(Self.Symbol)));
    if (Self.isObject() && Known && P.Objects[Self.O].K == Object::Record &&
        (isNumberOrText(Kind) || Thing)) {
      std::string Question = C.Name.str() + "(" + Asked + ") -> " + Kind.getAsString();
      if (auto Answer = P.Objects[Self.O].field(Question))
        return cell(get(*Answer));
      CellId Answer = cell(Thing ? externalValue(Kind, C.At, C.Name.str()) : fresh());
      P.Objects.edit(Self.O).Fields.push_back({Question, Answer});
      return cell(get(Answer));
    }
  }
  return cell(externalValue(C.ResultType, C.At, C.Name.str()));
}

} // namespace torch_tidy::model
