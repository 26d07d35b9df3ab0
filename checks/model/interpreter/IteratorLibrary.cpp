// Iterators.
#include "interpreter/Interpreter.h"

using namespace clang;

namespace torch_tidy::model {

CellId Interpreter::iteratorCall(Call &C) {
  const Value Self = get(C.Self);
  auto IsIterator = [&](const Value &V) {
    return V.isObject() && P.Objects[V.O].K == Object::Iterator;
  };
  if (!IsIterator(Self)) {
    // Iterators of maps are their pairs.
    if (C.Operator == OO_Arrow || C.Operator == OO_Star)
      return C.Self;
    return cell(externalValue(C.ResultType, C.At, C.Name.str()));
  }
  Object It = P.Objects[Self.O];
  CellId Sequence = It.Elements.empty() ? cell() : It.Elements[0];
  auto Moved = [&](int By) {
    Object New = P.Objects[Self.O];
    New.Position += By;
    return Value::object(P.Objects.add(New));
  };
  const Value Arg = C.Arguments.empty() ? Value() : get(C.Arguments[0]);
  switch (C.Operator) {
  case OO_Star:
  case OO_Arrow:
    return element(Sequence, Value::integer(It.Position), C.ResultType);
  case OO_Subscript:
    return element(Sequence, Arg.K == Value::Integer ? Value::integer(It.Position + Arg.I) : Arg,
                   C.ResultType);
  case OO_PlusPlus:
  case OO_MinusMinus:
    set(C.Self, Moved(C.Operator == OO_PlusPlus ? 1 : -1));
    return C.Self;
  case OO_Plus:
  case OO_Minus:
    if (Arg.K == Value::Integer)
      return cell(Moved(static_cast<int>(C.Operator == OO_Plus ? Arg.I : -Arg.I)));
    return cell(IsIterator(Arg) ? fresh() : Self);
  case OO_PlusEqual:
    if (Arg.K == Value::Integer)
      set(C.Self, Moved(static_cast<int>(Arg.I)));
    return C.Self;
  case OO_EqualEqual:
  case OO_ExclaimEqual:
    if (IsIterator(Arg))
      return cell(Value::integer((P.Objects[Arg.O].Position == It.Position) ==
                                 (C.Operator == OO_EqualEqual)));
    return cell(fresh());
  case OO_Equal:
    set(C.Self, Arg);
    return C.Self;
  default:
    return cell(externalValue(C.ResultType, C.At, C.Name.str()));
  }
}

} // namespace torch_tidy::model
