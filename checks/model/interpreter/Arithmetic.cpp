// Numbers: what is known of those that are, and questions to those that are not.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"

using namespace clang;

namespace torch_tidy::model {

Value Interpreter::unary(const UnaryOperator *U) {
  if (U->getOpcode() == UO_AddrOf) {
    CellId C = lvalueOf(U->getSubExpr());
    const Value V = get(C);
    if (V.K == Value::Function)
      return V;
    // The address of a record or module is its identity; of a tensor or number, its cell.
    return V.isObject() && P.Objects[V.O].K != Object::Sequence ? V : Value::pointer(C);
  }
  if (U->isIncrementDecrementOp()) {
    CellId C = lvalueOf(U->getSubExpr());
    Value Old = get(C);
    if (Old.K == Value::Integer)
      set(C, Value::integer(Old.I + (U->isIncrementOp() ? 1 : -1)));
    else if (isIterator(Old))
      set(C, movedBy(Old, Value::integer(U->isIncrementOp() ? 1 : -1)));
    else if (!Old.isObject() && Old.K != Value::Pointer && Old.K != Value::RawData)
      set(C, fresh());
    return Old;
  }
  Value V = rvalue(U->getSubExpr());
  switch (U->getOpcode()) {
  case UO_LNot:
    if (std::optional<bool> B = known(V))
      return Value::integer(!*B);
    return V.Symbol ? negate(V) : fresh();
  case UO_Minus:
    if (V.K == Value::Integer)
      V.I = -V.I;
    else if (V.K == Value::Floating)
      V.D = -V.D;
    else {
      Value N = fresh();
      N.T = V.T;
      return N;
    }
    return V;
  case UO_Not:
    return V.K == Value::Integer ? Value::integer(~V.I) : fresh();
  default:
    return V;
  }
}

Value Interpreter::binary(const BinaryOperator *B) {
  BinaryOperatorKind K = B->getOpcode();
  if (K == BO_Comma) {
    evaluate(B->getLHS());
    return rvalue(B->getRHS());
  }
  if (K == BO_LAnd || K == BO_LOr) {
    Value L = rvalue(B->getLHS());
    if (std::optional<bool> Known = known(L)) {
      if (*Known == (K == BO_LOr))
        return Value::integer(K == BO_LOr);
      return rvalue(B->getRHS());
    }
    // The right side is taken to be free of effects, as conditions are.
    Value R = rvalue(B->getRHS());
    if (std::optional<bool> Known = known(R)) {
      if (*Known == (K == BO_LAnd))
        return L;
      return Value::integer(*Known);
    }
    if (!L.Symbol || !R.Symbol)
      return fresh();
    auto Key = [](const Value &V) { return (V.Negated ? "!s" : "s") + std::to_string(V.Symbol); };
    return symbol((K == BO_LAnd ? "and(" : "or(") + Key(L) + "," + Key(R) + ")");
  }
  if (B->isPtrMemOp()) {
    evaluate(B->getLHS());
    return fresh();
  }
  Value L = rvalue(B->getLHS());
  Value R = rvalue(B->getRHS());
  Value V = arithmetic(K, L, R);
  if (K == BO_Div && L.isKnownNumber() && L.number() == 1 && R.Variable && !R.Inverse) {
    V.Variable = R.Variable;
    InverseContents.push_back(contentOf(R));
    V.Inverse = static_cast<uint32_t>(InverseContents.size());
  }
  return V;
}

/// What a number computed from two depends on.
Operand Interpreter::mergedOrigin(const Value &A, const Value &B) {
  Operand X = A.K != Value::Tensor ? A.T : Operand(), Y = B.K != Value::Tensor ? B.T : Operand();
  if (!X.T || !Y.T || X.T == Y.T)
    return X.T ? X : Y;
  auto Plain = [&](const Operand &Z) {
    return Torch.dependences(Z.T).empty() && !Torch.S.Tensors[Z.T].FromGradients;
  };
  if (Plain(Y))
    return X;
  if (Plain(X))
    return Y;
  return Torch.number({X, Y}, {});
}

template <typename Number>
static std::optional<bool> compareNumbers(BinaryOperatorKind K, Number X, Number Y) {
  switch (K) {
  case BO_LT:
    return X < Y;
  case BO_GT:
    return X > Y;
  case BO_LE:
    return X <= Y;
  case BO_GE:
    return X >= Y;
  case BO_EQ:
    return X == Y;
  case BO_NE:
    return X != Y;
  default:
    return std::nullopt;
  }
}

Value Interpreter::arithmetic(BinaryOperatorKind K, const Value &A, const Value &B) {
  auto WithOrigin = [&](Value V) {
    V.T = mergedOrigin(A, B);
    return V;
  };
  if (A.K == Value::Integer && B.K == Value::Integer) {
    int64_t X = A.I, Y = B.I;
    if (std::optional<bool> Holds = compareNumbers(K, X, Y))
      return Value::integer(*Holds);
    switch (K) {
    case BO_Add:
      return Value::integer(static_cast<int64_t>(static_cast<uint64_t>(X) + static_cast<uint64_t>(Y)));
    case BO_Sub:
      return Value::integer(static_cast<int64_t>(static_cast<uint64_t>(X) - static_cast<uint64_t>(Y)));
    case BO_Mul:
      return Value::integer(static_cast<int64_t>(static_cast<uint64_t>(X) * static_cast<uint64_t>(Y)));
    case BO_Div:
      if (Y && Y != -1)
        return Value::integer(X / Y);
      break;
    case BO_Rem:
      if (Y && Y != -1)
        return Value::integer(X % Y);
      break;
    case BO_And:
      return Value::integer(X & Y);
    case BO_Or:
      return Value::integer(X | Y);
    case BO_Xor:
      return Value::integer(X ^ Y);
    default:
      break;
    }
    return fresh();
  }
  if (isIterator(A) && isIterator(B))
    if (std::optional<Value> V = compared(K, A, B))
      return *V;
  if (isIterator(A) && (K == BO_Add || K == BO_Sub))
    return movedBy(A, K == BO_Add || B.K != Value::Integer ? B : Value::integer(-B.I));
  // Moving along raw data stays on it.
  if ((A.K == Value::RawData || B.K == Value::RawData) && (K == BO_Add || K == BO_Sub))
    return A.K == Value::RawData ? A : B;
  if (A.isKnownNumber() && B.isKnownNumber()) {
    double X = A.number(), Y = B.number();
    if (std::optional<bool> Holds = compareNumbers(K, X, Y))
      return Value::integer(*Holds);
    switch (K) {
    case BO_Add:
      return Value::floating(X + Y);
    case BO_Sub:
      return Value::floating(X - Y);
    case BO_Mul:
      return Value::floating(X * Y);
    case BO_Div:
      if (Y != 0)
        return Value::floating(X / Y);
      return fresh();
    default:
      return fresh();
    }
  }
  // Handles compare by identity; against null they differ.
  if (K == BO_EQ || K == BO_NE) {
    auto Handle = [](const Value &V) {
      return V.K == Value::Null || V.K == Value::Object || V.K == Value::Pointer;
    };
    if (Handle(A) && Handle(B)) {
      bool Same = A.K == B.K && (A.K == Value::Null || (A.K == Value::Object ? A.O == B.O : A.C == B.C));
      return Value::integer(Same == (K == BO_EQ));
    }
  }
  auto Key = [](const Value &V) -> std::string {
    if (V.K == Value::Integer)
      return "i" + std::to_string(V.I);
    if (V.K == Value::Floating)
      return "d" + std::to_string(V.D);
    if (V.K == Value::Null)
      return "null";
    if (V.K == Value::Unknown && V.Symbol)
      return (V.Negated ? "!s" : "s") + std::to_string(V.Symbol);
    return {};
  };
  std::string X = Key(A), Y = Key(B);
  if (X.empty() || Y.empty())
    return WithOrigin(fresh());
  // What is known of numbers that are not: x == x, x * 1, x + 0, a + b == b + a.
  if (X == Y && (K == BO_EQ || K == BO_LE || K == BO_GE))
    return WithOrigin(Value::integer(1));
  if (X == Y && (K == BO_NE || K == BO_LT || K == BO_GT))
    return WithOrigin(Value::integer(0));
  if ((K == BO_EQ || K == BO_NE) && Constants.count(A.Symbol) && Constants.count(B.Symbol))
    return Value::integer(K == BO_NE);
  auto Is = [](const Value &V, int64_t N) { return V.K == Value::Integer && V.I == N; };
  if ((Is(B, 1) && (K == BO_Mul || K == BO_Div)) || (Is(B, 0) && (K == BO_Add || K == BO_Sub)))
    return A;
  if ((Is(A, 1) && K == BO_Mul) || (Is(A, 0) && K == BO_Add))
    return B;
  if ((K == BO_Add || K == BO_Mul) && Y < X)
    std::swap(X, Y);
  // Normal form: a != b is !(a == b), a >= b is !(a < b), a > b is b < a.
  bool Negated = false;
  if (K == BO_NE || K == BO_GE || K == BO_LE)
    Negated = true;
  if (K == BO_LE || K == BO_GT)
    std::swap(X, Y);
  if (K == BO_NE)
    K = BO_EQ;
  else if (K == BO_GE || K == BO_LE || K == BO_GT)
    K = BO_LT;
  if (K == BO_EQ && Y < X)
    std::swap(X, Y);
  Value V = symbol(std::to_string(K) + "(" + X + "," + Y + ")");
  V.Negated = Negated;
  // `step % 4 == 0`, where step was not read from a tensor.
  if ((K == BO_Rem && !A.T.T && !B.T.T) || PeriodicSymbols.count(A.Symbol) ||
      PeriodicSymbols.count(B.Symbol))
    PeriodicSymbols.insert(V.Symbol);
  return WithOrigin(V);
}

} // namespace torch_tidy::model
