// The algorithms of <algorithm>, <numeric> and <iterator> over ranges that are followed.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"

#include <algorithm>

using namespace clang;

namespace torch_tidy::model {

/// What changes the order of a range. Where the order depends on values that are not known (sort,
/// shuffle) the elements stay where they are: the same ones are there; numbers are any numbers.
std::optional<CellId> Interpreter::reorder(const Call &C, const std::vector<CellId> &Range) {
  llvm::StringRef N = C.Name;
  if (isOneOf(N, {"sort", "stable_sort", "shuffle", "random_shuffle", "nth_element", "partial_sort",
                  "make_heap", "push_heap", "pop_heap", "sort_heap", "next_permutation"})) {
    if (Range.size() > 1)
      for (CellId X : Range)
        if (get(X).isKnownNumber() || get(X).K == Value::Unknown)
          set(X, fresh());
    return cell(fresh());
  }
  if (N != "reverse" && N != "rotate")
    return std::nullopt;
  std::vector<CellId> All = N == "rotate" ? elementsBetween(get(C.Arguments[0]), get(C.Arguments[2])) : Range;
  std::vector<Value> Values;
  for (CellId X : All)
    Values.push_back(get(X));
  if (N == "reverse")
    std::reverse(Values.begin(), Values.end());
  else if (Range.size() < Values.size())
    std::rotate(Values.begin(), Values.begin() + static_cast<ptrdiff_t>(Range.size()), Values.end());
  for (size_t I = 0; I < All.size(); ++I)
    set(All[I], Values[I]);
  return cell();
}

std::optional<CellId> Interpreter::algorithm(Call &C) {
  llvm::StringRef N = C.Name;
  if (C.Arguments.empty())
    return std::nullopt;
  auto Arg = [&](size_t I) { return I < C.Arguments.size() ? get(C.Arguments[I]) : Value(); };
  auto Appends = [&](size_t I) { // std::back_inserter(v) is v
    const Value V = Arg(I);
    return V.isObject() && P.Objects[V.O].K == Object::Sequence && I < C.Callee->getNumParams() &&
           Kinds.kind(C.Callee->getParamDecl(static_cast<unsigned>(I))->getType()) ==
               ClassKind::Iterator;
  };
  /// Where results go: the K-th from a position, or the end of what an inserter appends to.
  auto Store = [&](size_t Target, size_t K, const Value &V) {
    const Value To = Arg(Target);
    if (isIterator(To)) {
      CellId Slot = pointedTo(To, Value::integer(static_cast<int64_t>(K)), {});
      keep(V, Slot, C.At);
      set(Slot, V);
    } else if (To.isObject() && P.Objects[To.O].K == Object::Sequence) {
      if (!Appends(Target) && K < P.Objects[To.O].Elements.size()) {
        set(P.Objects[To.O].Elements[K], V);
      } else if (P.Objects[To.O].Elements.size() < MostElements) {
        keep(V, C.Arguments[Target], C.At);
        CellId New = cell(V);
        P.Objects.edit(To.O).Elements.push_back(New);
      }
    }
  };
  auto Stored = [&](size_t Target, size_t Count) {
    return isIterator(Arg(Target))
               ? cell(movedBy(Arg(Target), Value::integer(static_cast<int64_t>(Count))))
               : C.Arguments[Target];
  };

  Value Callable;
  for (size_t I = C.Arguments.size(); I-- > 1;) {
    const Value V = Arg(I);
    if (V.K == Value::Function || (V.isObject() && P.Objects[V.O].K == Object::Closure) ||
        (V.isObject() && P.Objects[V.O].K == Object::Record && P.Objects[V.O].Class && [&] {
          for (const CXXMethodDecl *M : P.Objects[V.O].Class->methods())
            if (M->getOverloadedOperator() == OO_Call)
              return true;
          return false;
        }())) {
      Callable = V;
      break;
    }
  }
  const bool Calls = Callable.K == Value::Function || Callable.isObject();
  auto CallIt = [&](std::vector<CellId> Args) {
    return invoke(Callable, Args, returnType(Callable), C.At);
  };
  if (N == "generate_n" || N == "fill_n") {
    if (Arg(1).K != Value::Integer || (!isIterator(Arg(0)) && !Appends(0)) ||
        (N == "generate_n" && !Calls))
      return std::nullopt;
    size_t Count = static_cast<size_t>(std::clamp<int64_t>(Arg(1).I, 0, MostElements));
    for (size_t I = 0; I < Count; ++I)
      Store(0, I, N == "fill_n" ? copy(Arg(2)) : get(CallIt({})));
    return Stored(0, Count);
  }

  if (!isIterator(Arg(0)) && !(Arg(0).isObject() && P.Objects[Arg(0).O].K == Object::Sequence))
    return std::nullopt;
  // An array's name is a pointer to its beginning.
  const Value First = isIterator(Arg(0)) ? Arg(0) : get(iteratorAt(C.Arguments[0], 0));
  const Value Last = Arg(1);
  const Object At = P.Objects[First.O];
  CellId Container = At.Elements[0];
  bool Reverse = At.Name == "reverse";
  const Value In = get(Container);
  bool Open = At.Open || !In.isObject() || P.Objects[In.O].Open ||
              (isIterator(Last) && P.Objects[Last.O].Open);
  auto Position = [&](int K, bool Uncertain) {
    return iteratorAt(Container, At.Position + K, Reverse, Uncertain);
  };
  auto Holds = [&](CellId X) -> std::optional<bool> {
    if (Calls)
      return known(get(CallIt({X})));
    if (C.Arguments.size() > 2 && !get(X).isTensor() && !get(X).isObject())
      return known(arithmetic(BO_EQ, get(X), Arg(2)));
    return std::nullopt;
  };

  if (N == "next" || N == "prev" || N == "advance") {
    Value By = C.Arguments.size() < 2 ? Value::integer(1) : Arg(1);
    Value To = arithmetic(N == "prev" ? BO_Sub : BO_Add, First, By);
    if (N != "advance")
      return cell(To);
    set(C.Arguments[0], To);
    return cell();
  }
  if (N == "make_reverse_iterator" && In.isObject())
    return iteratorAt(Container, static_cast<int>(P.Objects[In.O].Elements.size()) - At.Position,
                      true, At.Open);
  if (N == "make_move_iterator")
    return C.Arguments[0];
  if (N == "distance")
    return cell(isIterator(Last) ? compared(BO_Sub, Last, First).value_or(fresh()) : fresh());

  std::vector<CellId> Range = elementsBetween(First, Last);
  if (N.ends_with("_n") && Arg(1).K == Value::Integer && Arg(1).I >= 0 &&
      Range.size() > static_cast<size_t>(Arg(1).I))
    Range.resize(static_cast<size_t>(Arg(1).I));
  const int Count = static_cast<int>(Range.size());
  if (auto R = reorder(C, Range))
    return R;
  if (N == "for_each" || N == "for_each_n") {
    if (!Calls)
      return std::nullopt;
    for (CellId X : Range)
      CallIt({X});
    return N == "for_each" ? cell(Callable) : Position(Count, Open);
  }
  if ((N == "generate" && Calls) || N == "fill" || N == "iota") {
    int64_t K = 0;
    for (CellId X : Range) {
      Value V = N == "fill" ? copy(Arg(2)) : N == "generate" ? get(CallIt({})) : fresh();
      if (N == "iota" && Arg(2).K == Value::Integer)
        V = Value::integer(Arg(2).I + K++);
      keep(V, X, C.At);
      set(X, V);
    }
    return cell();
  }
  if (N == "transform" && Calls) {
    bool Two = C.Arguments.size() > 4;
    std::vector<CellId> Second = Two ? elementsBetween(Arg(2), Value()) : std::vector<CellId>();
    size_t Target = Two ? 3 : 2, K = 0;
    for (CellId X : Range) {
      if (Two && K >= Second.size())
        break;
      Store(Target, K, get(Two ? CallIt({X, Second[K]}) : CallIt({X})));
      ++K;
    }
    return Stored(Target, K);
  }
  if (isOneOf(N, {"copy", "move", "copy_if", "copy_n", "remove_copy_if"})) {
    size_t K = 0;
    for (CellId X : Range)
      if (!Calls || Holds(X).value_or(true) == (N != "remove_copy_if"))
        Store(2, K++, copy(get(X)));
    return Stored(2, K);
  }
  if (N == "accumulate" || N == "reduce") {
    CellId Sum = cell(C.Arguments.size() > 2 ? copy(Arg(2)) : Value::integer(0));
    for (CellId X : Range)
      Sum = cell(get(Calls ? CallIt({Sum, X}) : combined("plus", get(Sum), get(X), C.At)));
    return Sum;
  }
  if (N == "find" || N == "find_if" || N == "find_if_not") {
    int K = 0;
    for (CellId X : Range) {
      std::optional<bool> Yes = Holds(X);
      if (!Yes)
        return Position(K, true);
      if (*Yes == (N != "find_if_not"))
        return Position(K, At.Open);
      ++K;
    }
    return Position(K, Open);
  }
  if (N == "remove_if" || N == "remove") {
    std::vector<Value> Kept;
    bool Known = !Open;
    for (CellId X : Range) {
      std::optional<bool> Yes = Holds(X);
      Known &= Yes.has_value();
      if (!Yes.value_or(false))
        Kept.push_back(get(X));
    }
    if (!Known)
      return Position(0, true);
    for (size_t I = 0; I < Kept.size(); ++I)
      set(Range[I], Kept[I]);
    return Position(static_cast<int>(Kept.size()), false);
  }
  if (isOneOf(N, {"max_element", "min_element"}))
    return Position(0, Open || Count != 1);
  if (isOneOf(N, {"lower_bound", "upper_bound", "unique", "partition", "stable_partition",
                  "adjacent_find", "search", "find_first_of", "is_sorted_until"}))
    return Position(0, true);
  if (isOneOf(N, {"any_of", "all_of", "none_of", "count_if", "count"})) {
    int Yes = 0;
    bool Known = !Open;
    for (CellId X : Range) {
      std::optional<bool> B = Holds(X);
      Known &= B.has_value();
      Yes += B.value_or(false);
    }
    if (!Known)
      return cell(fresh());
    return cell(Value::integer(N == "any_of"    ? Yes > 0
                               : N == "all_of"  ? Yes == Count
                               : N == "none_of" ? Yes == 0
                                                : Yes));
  }
  if (isOneOf(N, {"equal", "includes", "is_sorted", "is_permutation", "lexicographical_compare"}))
    return cell(fresh());
  return std::nullopt;
}

} // namespace torch_tidy::model
