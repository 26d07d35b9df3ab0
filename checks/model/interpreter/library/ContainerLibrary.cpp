// Containers, smart pointers, optionals, tuples and std::function: their methods.
#include "interpreter/Interpreter.h"

#include "clang/AST/DeclTemplate.h"
#include "clang/AST/Expr.h"

using namespace clang;

namespace torch_tidy::model {

std::optional<CellId> Interpreter::containerCall(Call &C) {
  if (!C.Self || !C.Method)
    return std::nullopt;
  const CXXRecordDecl *R = C.Method->getParent();
  ClassKind Kind = Kinds.kind(R);
  llvm::StringRef N = C.Name;
  const Value Self = get(C.Self);
  auto Arg = [&](size_t I) { return I < C.Arguments.size() ? get(C.Arguments[I]) : Value(); };
  switch (Kind) {
  case ClassKind::Scalar:
  case ClassKind::TensorIndex:
    return C.Self;
  case ClassKind::Optional:
  case ClassKind::SmartPointer: {
    if (C.Operator == OO_Arrow || C.Operator == OO_Star || N == "value" || N == "get") {
      if (Self.K == Value::Null && N != "get")
        throw ProgramException();
      if (Self.K == Value::Unknown && C.ResultType->isRecordType())
        shape(C.Self, C.ResultType, C.At);
      return C.Self;
    }
    if (N == "value_or")
      return Self.K == Value::Null ? C.Arguments[0] : C.Self;
    if (N == "has_value" || isa<CXXConversionDecl>(C.Method))
      return cell(Self.K == Value::Null      ? Value::integer(0)
                  : Self.K == Value::Unknown ? fresh()
                                             : Value::integer(1));
    QualType Inner = Types::firstTemplateArgument(R);
    if (N == "reset" || N == "operator=" || N == "emplace" || N == "swap" || N == "release") {
      Value Old = Self;
      Value New = Value::null();
      if (N == "emplace") {
        const CXXRecordDecl *T = Inner.isNull() ? nullptr : Inner->getAsCXXRecordDecl();
        New = T ? makeObject(T, C.Arguments, C.At) : Arg(0);
      } else if (N == "swap" && !C.Arguments.empty()) {
        set(C.Self, get(C.Arguments[0]));
        set(C.Arguments[0], Old);
        return C.Self;
      } else if (!C.Arguments.empty()) {
        New = Arg(0);
        if (New.isObject() && P.Objects[New.O].Name == "nullopt_t")
          New = Value::null();
        if (Kind == ClassKind::Optional)
          New = copy(New);
      }
      if (N != "release" && !Inner.isNull() &&
          (Kind == ClassKind::Optional || Types::isUniquePointer(R)))
        destroy(Old, Inner);
      keep(New, C.Self, C.At);
      set(C.Self, New);
      keep(C.Self, C.At);
      if (C.Operator == OO_Equal && Types::isUniquePointer(R) && !(C.Arguments[0] == C.Self))
        set(C.Arguments[0], Value::null()); // what it owned has another owner now
      return N == "release" ? cell(Old) : C.Self;
    }
    if (Self.isObject() && P.Objects[Self.O].K == Object::Module)
      return moduleCall(C, Self.O);
    return cell(externalValue(C.ResultType, C.At, N.str()));
  }
  case ClassKind::Pair:
    if ((N == "value" || N == "key" || N == "pair") && Self.isObject() &&
        P.Objects[Self.O].Elements.size() >= 2)
      return P.Objects[Self.O].Elements[N == "key" ? 0 : 1];
    [[fallthrough]];
  case ClassKind::Tuple:
    if (C.Operator == OO_Equal) {
      const Value V = Arg(0);
      if (Self.isObject() && V.isObject()) {
        const std::vector<CellId> To = P.Objects[Self.O].Elements, From = P.Objects[V.O].Elements;
        std::vector<Value> Values; // read all before writing: std::tie(a, b) = {b, a}
        for (CellId X : From)
          Values.push_back(copy(get(X)));
        for (size_t I = 0; I < To.size() && I < Values.size(); ++I) {
          keep(Values[I], To[I], C.At);
          set(To[I], Values[I]);
        }
        return C.Self;
      }
      keep(V, C.Self, C.At);
      set(C.Self, copy(V));
      return C.Self;
    }
    break;
  case ClassKind::Function:
    if (C.Operator == OO_Equal) {
      set(C.Self, Arg(0));
      return C.Self;
    }
    if (C.Operator == OO_Call)
      return invoke(Self, C.Arguments, C.ResultType, C.At);
    return cell(Self.K == Value::Null ? Value::integer(0) : Value::integer(1));
  case ClassKind::ReferenceWrapper:
    if (Self.K == Value::Pointer)
      return Self.C;
    return C.Self;
  case ClassKind::Options: {
    if (!Self.isObject())
      set(C.Self, Value::object(object(Object::Options, R->getNameAsString(), R)));
    ObjectId O = get(C.Self).O;
    if (isa<CXXConversionDecl>(C.Method))
      return C.Self;
    if (C.Operator == OO_Equal) {
      set(C.Self, copy(Arg(0)));
      return C.Self;
    }
    if (C.Arguments.empty()) {
      if (auto F = P.Objects[O].field(N.str()))
        return *F;
      CellId X = cell(externalValue(C.ResultType, C.At, N.str()));
      return X;
    }
    // A setter of TORCH_ARG; where the value was asked for is where a fix goes.
    Value V = Arg(0);
    V.Written = C.E ? C.E->getExprLoc() : SourceLocation();
    if (C.E)
      if (const auto *M = dyn_cast<CXXMemberCallExpr>(C.E))
        if (const auto *ME = dyn_cast<MemberExpr>(M->getCallee()->IgnoreParens()))
          V.Written = ME->getMemberLoc();
    CellId X = cell(V);
    Object &Opts = P.Objects.edit(O);
    for (auto &[Name, Old] : Opts.Fields)
      if (Name == N) {
        Old = X;
        return C.Self;
      }
    Opts.Fields.push_back({N.str(), X});
    return C.Self;
  }
  case ClassKind::Accessor:
    if (Self.K == Value::RawData) {
      if (C.ResultType->isRecordType() || C.ResultType->isArithmeticType() ||
          C.ResultType->isPointerType()) {
        if (N == "size" || N == "stride" || N == "sizes" || N == "strides")
          return cell(fresh());
        Value V;
        V.K = Value::RawData;
        V.T = Self.T;
        return cell(V);
      }
      return cell(fresh());
    }
    return cell(fresh());
  case ClassKind::String:
    if (C.Operator == OO_Equal || C.Operator == OO_PlusEqual || N == "append") {
      auto A = textOf(Self), B = textOf(Arg(0));
      set(C.Self, C.Operator == OO_Equal                    ? Arg(0)
                  : A && B && C.Arguments.size() == 1 ? text(*A + *B)
                                                            : fresh());
      return C.Self;
    }
    if (isa<CXXConversionDecl>(C.Method) || N == "c_str" || N == "data")
      return C.Self;
    return cell(externalValue(C.ResultType, C.At, N.str()));
  case ClassKind::Sequence:
    return sequenceCall(C);
  case ClassKind::Map:
    return mapCall(C);
  case ClassKind::Iterator:
    return iteratorCall(C);
  case ClassKind::Variant:
    return variantCall(C);
  default:
    break;
  }
  if (Self.isObject() && P.Objects[Self.O].K == Object::Iterator)
    return iteratorCall(C);
  if (Self.isObject() && P.Objects[Self.O].Name == "PackedSequence" && N == "data")
    if (auto Data = P.Objects[Self.O].field("data"))
      return *Data;
  if (Self.isObject() && P.Objects[Self.O].K == Object::Options && C.Arguments.size() == 1) {
    CellId X = C.Arguments[0];
    P.Objects.edit(Self.O).Fields.push_back({N.str(), X});
    return C.Self;
  }
  if ((C.Operator == OO_EqualEqual || C.Operator == OO_ExclaimEqual) &&
      R->getName() == "type_info" && !C.Arguments.empty())
    return cell(arithmetic(C.Operator == OO_EqualEqual ? BO_EQ : BO_NE, Self, Arg(0)));
  if (C.Operator == OO_Equal && !isUser(C.Method) && !C.Arguments.empty()) {
    keep(Arg(0), C.Self, C.At);
    set(C.Self, copy(Arg(0)));
    return C.Self;
  }
  return std::nullopt;
}

/// What std::any and a variant hold stands for them.
std::optional<CellId> Interpreter::variantCall(Call &C) {
  llvm::StringRef N = C.Name;
  if (C.Operator == OO_Equal || N == "emplace") {
    Value New = C.Arguments.empty() ? Value() : get(C.Arguments[0]);
    if (N == "emplace") {
      const TemplateArgumentList *T = C.Callee->getTemplateSpecializationArgs();
      const CXXRecordDecl *R = T && T->size() && (*T)[0].getKind() == TemplateArgument::Type
                                   ? (*T)[0].getAsType()->getAsCXXRecordDecl()
                                   : nullptr;
      if (R && C.Arguments.size() != 1)
        New = makeObject(R, C.Arguments, C.At);
    }
    New = copy(New);
    keep(New, C.Self, C.At);
    set(C.Self, New);
    keep(C.Self, C.At);
    return C.Self;
  }
  if (N == "reset") {
    set(C.Self, Value::null());
    return cell();
  }
  if (N == "swap" && !C.Arguments.empty()) {
    const Value Old = get(C.Self);
    set(C.Self, get(C.Arguments[0]));
    set(C.Arguments[0], Old);
    return cell();
  }
  if (N == "has_value" && get(C.Self).K != Value::Unknown)
    return cell(Value::integer(get(C.Self).K != Value::Null));
  return cell(externalValue(C.ResultType, C.At, N.str()));
}

CellId Interpreter::sequenceCall(Call &C) {
  llvm::StringRef Class = C.Method->getParent()->getName();
  llvm::StringRef N = C.Name;
  if (isOneOf(Class, {"queue", "stack", "priority_queue"})) {
    bool Stack = Class == "stack";
    N = N == "push"      ? "push_back"
        : N == "emplace" ? "emplace_back"
        : N == "pop"     ? (Stack ? "pop_back" : "pop_front")
        : N == "top"     ? (Stack ? "back" : "front")
                         : N;
  }
  auto Arg = [&](size_t I) { return I < C.Arguments.size() ? get(C.Arguments[I]) : Value(); };
  if (!get(C.Self).isObject() || P.Objects[get(C.Self).O].K == Object::Iterator) {
    ObjectId New = object(Object::Sequence);
    P.Objects.edit(New).Open = P.Objects.edit(New).External = true;
    set(C.Self, Value::object(New));
  }
  ObjectId O = get(C.Self).O;
  auto Size = [&] { return P.Objects[O].Elements.size(); };
  auto Iterator = [&](int Position, bool Reverse = false) {
    return iteratorAt(C.Self, Position, Reverse);
  };
  QualType Element = Types::firstTemplateArgument(C.Method->getParent());
  if (C.Operator == OO_Equal ||
      isOneOf(N, {"push_back", "emplace_back", "clear", "assign", "resize", "insert", "emplace",
                  "erase", "swap", "fill", "pop_back"}))
    bufferWritten(O, C.At);
  if (isOneOf(N, {"push_back", "push_front", "emplace_back", "emplace_front", "insert", "emplace",
                  "append"})) {
    ++Growths;
    for (CellId A : C.Arguments)
      Layers += get(A).isObject() && P.Objects[get(A).O].K == Object::Module;
  }
  if (C.Operator == OO_Equal) {
    keep(Arg(0), C.Self, C.At);
    set(C.Self, copy(Arg(0)));
    copiedFrom(get(C.Self), C.At);
    bufferAssigned(O, get(C.Self));
    return C.Self;
  }
  if (N == "push_back" || N == "emplace_back" || N == "push_front" || N == "emplace_front") {
    Value V = Arg(0);
    if (N.starts_with("emplace") && !Element.isNull())
      if (const CXXRecordDecl *T = Element->getAsCXXRecordDecl();
          T && (C.Arguments.size() != 1 || (isUser(T) && !V.isObject())))
        V = makeObject(T, C.Arguments, C.At);
    keep(V, C.Self, C.At);
    if (Size() < MostElements) {
      Value Element = secondName(copy(V), C.Written.empty() ? nullptr : C.Written[0]);
      if (Element.isTensor() && Element.T.T && !Element.T.Kept)
        Element.T.Seen = Torch.bind(Element.T.T).Seen; // a handle of its own
      CellId X = cell(Element);
      keep(X, C.At);
      std::vector<CellId> &E = P.Objects.edit(O).Elements;
      E.insert(N.ends_with("front") ? E.begin() : E.end(), X);
      return X;
    }
    P.Objects.edit(O).Open = true;
    return P.Objects[O].Elements.back();
  }
  if (C.Operator == OO_Subscript || N == "at")
    return element(C.Self, Arg(0), C.ResultType);
  if (N == "front")
    return element(C.Self, Value::integer(0), C.ResultType);
  if (N == "back")
    return Size() ? P.Objects[O].Elements.back()
                  : element(C.Self, Value::integer(0), C.ResultType);
  if (N == "size" || N == "length")
    return cell(P.Objects[O].Open ? symbol("size:" + std::to_string(O.Value))
                                  : Value::integer(static_cast<int64_t>(Size())));
  if (N == "empty")
    return cell(P.Objects[O].Open && !Size() ? symbol("empty:" + std::to_string(O.Value))
                                             : Value::integer(Size() == 0));
  if (N == "clear") {
    Object &X = P.Objects.edit(O);
    X.Elements.clear();
    X.ParametersOf.clear();
    X.Open = X.External = false;
    return cell();
  }
  if (N == "pop_back" || N == "pop_front") {
    P.Objects.edit(O).ParametersOf.clear();
    std::vector<CellId> &E = P.Objects.edit(O).Elements;
    if (!E.empty())
      E.erase(N == "pop_back" ? E.end() - 1 : E.begin());
    return cell();
  }
  if (isOneOf(N, {"begin", "cbegin", "rbegin", "crbegin", "data"}))
    return Iterator(0, N.contains("rb"));
  if (isOneOf(N, {"end", "cend", "rend", "crend"}))
    return Iterator(static_cast<int>(Size()), N.contains("re"));
  if (N == "vec" || N == "slice")
    return C.Self;
  if (N == "swap" && Arg(0).isObject()) {
    const Value Mine = get(C.Self);
    set(C.Self, Arg(0));
    set(C.Arguments[0], Mine);
    return cell();
  }
  if (N == "insert" || N == "append" || N == "assign" || N == "emplace") {
    // A position comes first, for insert() and emplace() of sequences; a set has none.
    size_t Next = 0;
    int Position = static_cast<int>(Size());
    if ((N == "insert" || N == "emplace") && isIterator(Arg(0)) && C.Arguments.size() > 1 &&
        ownerOf(Arg(0)) == O) {
      const Object At = P.Objects[Arg(0).O];
      Position = At.Open ? Position : std::clamp(At.Position, 0, Position);
      Next = 1;
    }
    if (N == "assign") {
      P.Objects.edit(O).Elements.clear();
      Position = 0;
    }
    std::vector<Value> New;
    const Value V = Arg(Next), W = Arg(Next + 1);
    const bool Two = C.Arguments.size() == Next + 2;
    if (isIterator(V) && Two) {
      for (CellId X : elementsBetween(V, W)) {
        Value Element = copy(get(X));
        if (Element.isTensor() && Element.T.T) {
          Element.Bound = C.At;
          Element.T.Seen = Torch.bind(Element.T.T).Seen;
        }
        New.push_back(Element);
      }
      if (auto From = ownerOf(V)) {
        for (ObjectId M : std::vector<ObjectId>(P.Objects[*From].ParametersOf))
          P.Objects.edit(O).ParametersOf.push_back(M);
        if (P.Objects[*From].Open)
          P.Objects.edit(O).Open = P.Objects.edit(O).External = true;
      }
    } else if (V.K == Value::Integer && Two && N != "emplace") {
      for (int64_t I = 0; I < std::min<int64_t>(V.I, MostElements); ++I)
        New.push_back(copy(W));
    } else if (V.isObject() && P.Objects[V.O].K == Object::Sequence &&
               C.Arguments.size() == Next + 1 && Kinds.kind(Element) != ClassKind::Sequence) {
      for (CellId X : std::vector<CellId>(P.Objects[V.O].Elements)) // an initializer_list
        New.push_back(copy(get(X)));
    } else if (N == "emplace" && C.Arguments.size() > Next + 1 && !Element.isNull() &&
               Element->getAsCXXRecordDecl()) {
      New.push_back(makeObject(Element->getAsCXXRecordDecl(),
                               {C.Arguments.begin() + static_cast<ptrdiff_t>(Next), C.Arguments.end()},
                               C.At));
    } else if (C.Arguments.size() > Next) {
      New.push_back(copy(V));
    }
    for (const Value &X : New)
      if (Size() < MostElements) {
        keep(X, C.Self, C.At);
        CellId Slot = cell(X);
        keep(Slot, C.At);
        std::vector<CellId> &E = P.Objects.edit(O).Elements;
        E.insert(E.begin() + Position++, Slot);
      }
    return Iterator(std::max(0, Position - 1));
  }
  if (N == "resize" || N == "reserve") {
    if (N == "resize" && Arg(0).K == Value::Integer)
      while (static_cast<int64_t>(Size()) < std::min<int64_t>(Arg(0).I, MostElements)) {
        CellId New = cell(C.Arguments.size() > 1 ? copy(Arg(1))
                          : Element.isNull()     ? Value()
                                                 : defaultValue(Element));
        P.Objects.edit(O).Elements.push_back(New);
      }
    return cell();
  }
  if (N == "erase") {
    P.Objects.edit(O).ParametersOf.clear();
    const Value From = Arg(0), To = Arg(1);
    bool Known = isIterator(From) && !P.Objects[From.O].Open && P.Objects[From.O].Name.empty() &&
                 (C.Arguments.size() < 2 || (isIterator(To) && !P.Objects[To.O].Open));
    if (!Known) {
      P.Objects.edit(O).Open = true;
      return Iterator(0);
    }
    int A = P.Objects[From.O].Position;
    int B = C.Arguments.size() < 2 ? A + 1 : P.Objects[To.O].Position;
    std::vector<CellId> &E = P.Objects.edit(O).Elements;
    B = std::min(B, static_cast<int>(E.size()));
    if (A >= 0 && A < B)
      E.erase(E.begin() + A, E.begin() + B);
    return Iterator(A);
  }
  if (N == "fill") {
    for (CellId X : std::vector<CellId>(P.Objects[O].Elements))
      set(X, copy(Arg(0)));
    return cell();
  }
  return cell(externalValue(C.ResultType, C.At, N.str()));
}

CellId Interpreter::mapCall(Call &C) {
  llvm::StringRef N = C.Name;
  auto Arg = [&](size_t I) { return I < C.Arguments.size() ? get(C.Arguments[I]) : Value(); };
  if (!get(C.Self).isObject()) {
    ObjectId New = object(Object::Map);
    P.Objects.edit(New).Open = P.Objects.edit(New).External = true;
    set(C.Self, Value::object(New));
  }
  ObjectId O = get(C.Self).O;
  auto Same = [](const Value &A, const Value &B) {
    return A.K == B.K && ((A.K == Value::Integer && A.I == B.I) ||
                          (A.K == Value::Unknown && A.Symbol && A.Symbol == B.Symbol));
  };
  auto Find = [&](const Value &Key) -> std::optional<size_t> {
    const Object &X = P.Objects[O];
    for (size_t I = 0; I < X.Elements.size() && I < X.Keys.size(); ++I)
      if (Same(X.Keys[I], Key))
        return I;
    return std::nullopt;
  };
  auto Certain = [&](const Value &K) { return K.K == Value::Integer || textOf(K).has_value(); };
  // Whether a key that is not found is not there: it may be one that is not told from those that are.
  auto Absent = [&](const Value &Key) {
    const Object &X = P.Objects[O];
    return !X.Open && (X.Elements.empty() || (Certain(Key) && llvm::all_of(X.Keys, Certain)));
  };
  auto IteratorAt = [&](size_t I, bool Uncertain = false) {
    return iteratorAt(C.Self, static_cast<int>(I), false, Uncertain);
  };
  // What insert() and emplace() give: the iterator and whether the key was new; OrderedDict's give
  // the value.
  auto Inserted = [&](size_t I, bool New) {
    if (C.Method->getParent()->getName() == "OrderedDict")
      return P.Objects[O].Elements[I];
    CellId It = IteratorAt(I);
    if (Kinds.kind(C.ResultType) != ClassKind::Pair)
      return It;
    CellId Flag = cell(Value::integer(New));
    ObjectId Pair = object(Object::Tuple, "pair");
    P.Objects.edit(Pair).Elements = {It, Flag};
    return cell(Value::object(Pair));
  };
  if (C.Operator == OO_Equal) {
    set(C.Self, copy(Arg(0)));
    copiedFrom(get(C.Self), C.At);
    return C.Self;
  }
  if (C.Operator == OO_Subscript || N == "at" || N == "get" || N == "try_emplace") {
    Value Key = Arg(0);
    if (auto I = Find(Key))
      return P.Objects[O].Elements[*I];
    bool KeyKnown = Key.K == Value::Integer || Key.Symbol;
    const Object X = P.Objects[O];
    if ((!KeyKnown || N == "at") && !X.Elements.empty())
      return X.Elements.back();
    // A text may equal a key that was put together from what is not known.
    if (textOf(Key))
      for (size_t I = std::min(X.Elements.size(), X.Keys.size()); I-- > 0;)
        if (X.Keys[I].K == Value::Unknown && !textOf(X.Keys[I]))
          return X.Elements[I];
    CellId New = cell(X.External ? externalValue(C.ResultType, C.At, "element")
                                 : defaultValue(C.ResultType));
    P.Objects.edit(O).Elements.push_back(New);
    P.Objects.edit(O).Keys.push_back(Key);
    ++Growths;
    return New;
  }
  if (N == "insert" || N == "emplace" || N == "insert_or_assign" || N == "update") {
    Value Key = Arg(0);
    Value V = Arg(1);
    if (C.Arguments.size() == 1 && Key.isObject() && P.Objects[Key.O].Elements.size() >= 2) {
      const std::vector<CellId> Pair = P.Objects[Key.O].Elements;
      Key = get(Pair[0]);
      V = get(Pair[1]);
    }
    if (auto I = Find(Key)) {
      if (N == "insert_or_assign")
        set(P.Objects[O].Elements[*I], copy(V));
      return Inserted(*I, false);
    }
    keep(V, C.Self, C.At);
    if (P.Objects[O].Elements.size() < MostElements) {
      CellId New = cell(copy(V));
      keep(New, C.At);
      P.Objects.edit(O).Elements.push_back(New);
      P.Objects.edit(O).Keys.push_back(Key);
      ++Growths;
    }
    return Inserted(P.Objects[O].Elements.size() - 1, true);
  }
  if (N == "size")
    return cell(P.Objects[O].Open ? fresh()
                                  : Value::integer(static_cast<int64_t>(P.Objects[O].Elements.size())));
  if (N == "empty" || N == "is_empty")
    return cell(P.Objects[O].Open ? fresh() : Value::integer(P.Objects[O].Elements.empty()));
  if (N == "find") {
    if (auto I = Find(Arg(0)))
      return N == "find" && C.Method->getParent()->getName() == "OrderedDict"
                 ? cell(Value::pointer(P.Objects[O].Elements[*I]))
                 : IteratorAt(*I);
    const size_t Size = P.Objects[O].Elements.size();
    if (C.ResultType->isPointerType())
      return cell(Absent(Arg(0)) ? Value::null() : fresh());
    if (Absent(Arg(0)) || Size == 0)
      return IteratorAt(Size);
    return IteratorAt(Size - 1, true);
  }
  if (N == "erase") {
    std::optional<size_t> I;
    if (isIterator(Arg(0))) {
      if (!P.Objects[Arg(0).O].Open)
        I = static_cast<size_t>(P.Objects[Arg(0).O].Position);
    } else {
      I = Find(Arg(0));
    }
    Object &X = P.Objects.edit(O);
    if (I && *I < X.Elements.size()) {
      X.Elements.erase(X.Elements.begin() + static_cast<ptrdiff_t>(*I));
      if (*I < X.Keys.size())
        X.Keys.erase(X.Keys.begin() + static_cast<ptrdiff_t>(*I));
    } else if (!X.Elements.empty() && (isIterator(Arg(0)) || !Absent(Arg(0)))) {
      P.Objects.edit(O).Open = true;
    }
    return I && !C.ResultType->isArithmeticType() ? IteratorAt(*I) : cell(fresh());
  }
  if (N == "contains" || N == "count") {
    if (Find(Arg(0)))
      return cell(Value::integer(1));
    return cell(Absent(Arg(0)) ? Value::integer(0) : fresh());
  }
  if (N == "values" || N == "keys" || N == "items" || N == "pairs") {
    if (N == "items" || N == "pairs")
      return C.Self;
    ObjectId S = object(Object::Sequence);
    const Object X = P.Objects[O];
    std::vector<CellId> Elements;
    if (N == "values")
      Elements = X.Elements;
    else
      for (const Value &K : X.Keys)
        Elements.push_back(cell(K));
    P.Objects.edit(S).Elements = std::move(Elements);
    return cell(Value::object(S));
  }
  if (N == "clear") {
    P.Objects.edit(O).Elements.clear();
    P.Objects.edit(O).Keys.clear();
    return cell();
  }
  if (N == "front" || N == "back")
    return pointedTo(get(iteratorAt(C.Self, 0, N == "back")), Value::integer(0), C.ResultType);
  if (isOneOf(N, {"begin", "cbegin", "end", "cend", "rbegin", "rend"}))
    return iteratorAt(C.Self,
                      N.ends_with("end") ? static_cast<int>(P.Objects[O].Elements.size()) : 0,
                      N.starts_with("r"));
  return cell(externalValue(C.ResultType, C.At, N.str()));
}

} // namespace torch_tidy::model
