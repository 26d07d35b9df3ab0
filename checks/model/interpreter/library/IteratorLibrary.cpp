// Iterators of sequences and maps.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"

#include <algorithm>

using namespace clang;

namespace torch_tidy::model {

/// Note [Iterators]
/// An iterator is the cell of its container (Elements[0]) and a position, counted from the end it
/// starts at (Name is "reverse" for rbegin() and rend()). Elements are cells, so what is written
/// through an iterator is written in the container. Where nobody can tell which element an
/// algorithm finds, the iterator is Open: it refers to some element, and compares to nothing for
/// certain. A pointer into a container is an iterator too; an iterator that appends
/// (std::back_inserter) is the container itself.
CellId Interpreter::iteratorAt(CellId Container, int Position, bool Reverse, bool Uncertain) {
  ObjectId I = object(Object::Iterator, Reverse ? "reverse" : "");
  Object &O = P.Objects.edit(I);
  O.Elements = {Container};
  O.Position = Position;
  O.Open = Uncertain;
  return cell(Value::object(I));
}

bool Interpreter::isIterator(const Value &V) const {
  return V.isObject() && P.Objects[V.O].K == Object::Iterator && !P.Objects[V.O].Elements.empty();
}

Value Interpreter::movedBy(const Value &Iterator, const Value &By) {
  Object New = P.Objects[Iterator.O];
  if (By.K == Value::Integer)
    New.Position += static_cast<int>(std::clamp<int64_t>(By.I, -1000, 1000));
  else
    New.Open = true;
  return Value::object(P.Objects.add(std::move(New)));
}

/// A comparison of two iterators, or their distance.
std::optional<Value> Interpreter::compared(BinaryOperatorKind K, const Value &A, const Value &B) {
  const Object X = P.Objects[A.O], Y = P.Objects[B.O];
  const Value In = get(X.Elements[0]), Other = get(Y.Elements[0]);
  if (!In.isObject() || !Other.isObject() || In.O != Other.O)
    return std::nullopt;
  const int Size = static_cast<int>(P.Objects[In.O].Elements.size());
  // Beyond the known elements of a container that may have more, nothing is certain.
  bool Beyond = P.Objects[In.O].Open && X.Position >= Size && Y.Position >= Size;
  if (!X.Open && !Y.Open && !Beyond)
    return arithmetic(K, Value::integer(X.Position), Value::integer(Y.Position));
  auto Place = [&](ObjectId I, const Object &O) {
    return symbol("place:" + std::to_string(In.O.Value) + "," +
                  (O.Open ? "i" + std::to_string(I.Value)
                   : Beyond && I == B.O ? "end"
                                        : std::to_string(O.Position)));
  };
  return arithmetic(K, Place(A.O, X), Place(B.O, Y));
}

/// The element that *(Iterator + Offset) refers to; of a map, a pair of its key and the element.
CellId Interpreter::pointedTo(const Value &Iterator, const Value &Offset, QualType T) {
  const Object It = P.Objects[Iterator.O];
  CellId Container = It.Elements[0];
  const Value V = get(Container);
  bool Certain = !It.Open && Offset.K == Value::Integer;
  int64_t Position = It.Position + (Offset.K == Value::Integer ? Offset.I : 0);
  int64_t Size = V.isObject() ? static_cast<int64_t>(P.Objects[V.O].Elements.size()) : 0;
  if (It.Name == "reverse")
    Position = Size - 1 - Position;
  if (!Certain && Size > 0)
    Position = std::clamp<int64_t>(Position, 0, Size - 1);
  if (V.isObject() && P.Objects[V.O].K == Object::Map) {
    const Object M = P.Objects[V.O];
    if (Position < 0 || Position >= Size)
      return cell(externalValue(T, {}, "element"));
    size_t I = static_cast<size_t>(Position);
    CellId Key = cell(I < M.Keys.size() ? M.Keys[I] : Value());
    ObjectId Pair = object(Object::Tuple, "pair");
    P.Objects.edit(Pair).Elements = {Key, M.Elements[I]};
    return cell(Value::object(Pair));
  }
  return element(Container, Value::integer(Position), T);
}

CellId Interpreter::iteratorCall(Call &C) {
  const Value Self = get(C.Self);
  const Value Arg = C.Arguments.empty() ? Value() : get(C.Arguments[0]);
  if (!isIterator(Self)) {
    if (C.Operator == OO_Arrow || C.Operator == OO_Star || C.Operator == OO_PlusPlus)
      return C.Self;
    if (C.Operator == OO_Equal && !C.Arguments.empty()) {
      if (Self.isObject() && P.Objects[Self.O].K == Object::Sequence &&
          C.Method->getParent()->getName().contains("insert_iterator")) {
        keep(Arg, C.Self, C.At);
        CellId New = cell(copy(Arg));
        if (P.Objects[Self.O].Elements.size() < MostElements)
          P.Objects.edit(Self.O).Elements.push_back(New);
        return C.Self;
      }
      set(C.Self, Arg);
      return C.Self;
    }
    return cell(externalValue(C.ResultType, C.At, C.Name.str()));
  }
  switch (C.Operator) {
  case OO_Star:
  case OO_Arrow:
    return pointedTo(Self, Value::integer(0),
                     C.ResultType->isPointerType() ? C.ResultType->getPointeeType() : C.ResultType);
  case OO_Subscript:
    return pointedTo(Self, Arg, C.ResultType);
  case OO_PlusPlus:
  case OO_MinusMinus:
    // Postfix has a dummy argument, and gives the old position.
    set(C.Self, movedBy(Self, Value::integer(C.Operator == OO_PlusPlus ? 1 : -1)));
    return C.Arguments.empty() ? C.Self : cell(Self);
  case OO_Plus:
  case OO_Minus:
    if (isIterator(Arg))
      return cell(compared(BO_Sub, Self, Arg).value_or(fresh()));
    return cell(arithmetic(C.Operator == OO_Plus ? BO_Add : BO_Sub, Self, Arg));
  case OO_PlusEqual:
  case OO_MinusEqual:
    set(C.Self, arithmetic(C.Operator == OO_PlusEqual ? BO_Add : BO_Sub, Self, Arg));
    return C.Self;
  case OO_EqualEqual:
  case OO_ExclaimEqual:
  case OO_Less:
  case OO_Greater:
  case OO_LessEqual:
  case OO_GreaterEqual:
    if (isIterator(Arg))
      if (std::optional<Value> V =
              compared(BinaryOperator::getOverloadedOpcode(C.Operator), Self, Arg))
        return cell(*V);
    return cell(fresh());
  case OO_Equal:
    set(C.Self, Arg);
    return C.Self;
  default:
    break;
  }
  if (C.Name == "base" && P.Objects[Self.O].Name == "reverse") {
    const Value In = get(P.Objects[Self.O].Elements[0]);
    int Size = In.isObject() ? static_cast<int>(P.Objects[In.O].Elements.size()) : 0;
    return iteratorAt(P.Objects[Self.O].Elements[0], Size - P.Objects[Self.O].Position, false,
                      P.Objects[Self.O].Open);
  }
  if (C.Name == "base")
    return C.Self;
  return cell(externalValue(C.ResultType, C.At, C.Name.str()));
}

/// The elements of [First, Last), in the order in which they are visited.
std::vector<CellId> Interpreter::elementsBetween(const Value &First, const Value &Last) {
  std::vector<CellId> Out;
  if (!isIterator(First)) {
    if (First.isObject() && P.Objects[First.O].K == Object::Sequence)
      return P.Objects[First.O].Elements;
    return Out;
  }
  const Object From = P.Objects[First.O];
  const Value V = get(From.Elements[0]);
  if (!V.isObject())
    return Out;
  const Object In = P.Objects[V.O];
  int Size = static_cast<int>(In.Elements.size());
  int End = isIterator(Last) && !P.Objects[Last.O].Open ? P.Objects[Last.O].Position : Size;
  for (int I = std::max(0, From.Position); I < std::min(End, Size); ++I) {
    if (In.K == Object::Map)
      Out.push_back(pointedTo(First, Value::integer(I - From.Position), {}));
    else
      Out.push_back(In.Elements[static_cast<size_t>(From.Name == "reverse" ? Size - 1 - I : I)]);
  }
  return Out;
}

} // namespace torch_tidy::model
