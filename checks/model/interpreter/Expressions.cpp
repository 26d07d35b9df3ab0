// Expressions as cells (lvalues) and as values.
#include "interpreter/Interpreter.h"

#include "clang/AST/DeclTemplate.h"
#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"

using namespace clang;

namespace torch_tidy::model {

const Expr *withoutTemporaries(const Expr *E) {
  while (true) {
    E = E->IgnoreParenImpCasts();
    if (const auto *M = dyn_cast<MaterializeTemporaryExpr>(E))
      E = M->getSubExpr();
    else if (const auto *B = dyn_cast<CXXBindTemporaryExpr>(E))
      E = B->getSubExpr();
    else
      return E;
  }
}

void Interpreter::evaluate(const Expr *E) {
  if (E->isGLValue()) {
    lvalue(E);
    return;
  }
  Value V = rvalue(E);
  if (V.isObject() && needsDestruction(E->getType()))
    Lives.push_back({cell(V), E->getType()});
}

//===--- lvalues ---------------------------------------------------------------------------===//

CellId Interpreter::variable(const ValueDecl *D) {
  for (Frame *F = Current; F; F = nullptr) {
    auto It = F->Variables.find(D);
    if (It != F->Variables.end())
      return It->second;
  }
  if (const auto *V = dyn_cast<VarDecl>(D); V && V->hasGlobalStorage()) {
    const VarDecl *Key = V->getCanonicalDecl();
    auto It = P.Globals.find(Key);
    if (It != P.Globals.end())
      return It->second;
    CellId C = cell();
    P.Globals[Key] = C;
    // Enumerators and numbers by another name: torch::kLong.
    if (!isUser(V) && V->isConstexpr())
      if (const APValue *A = V->evaluateValue(); A && A->isInt()) {
        set(C, Value::integer(A->getInt().getExtValue()));
        return C;
      }
    const VarDecl *Definition = V;
    if (const Expr *Init = V->getAnyInitializer(Definition); Init && isUser(Definition))
      set(C, rvalue(Init));
    else if (isUser(V))
      set(C, defaultValue(V->getType()));
    else
      set(C, symbol("global:" + V->getQualifiedNameAsString()));
    shape(C, V->getType(), site(V->getLocation()));
    return C;
  }
  CellId C = cell(externalValue(D->getType(), site(D->getLocation()), D->getNameAsString()));
  if (Current)
    Current->Variables[D] = C;
  return C;
}

CellId Interpreter::dereference(const Value &V, QualType T) {
  if (isIterator(V)) // a pointer into a container
    return pointedTo(V, Value::integer(0), T);
  if (V.K == Value::Pointer)
    return V.C;
  if (V.K == Value::Null || V.K == Value::Unknown) {
    CellId C = cell(externalValue(T, {}, "pointee"));
    return C;
  }
  return cell(V); // handles stand for what they refer to
}

CellId Interpreter::member(CellId Base, const ValueDecl *Field) {
  if (get(Base).K == Value::Pointer)
    Base = get(Base).C;
  std::string Named;
  if (!Field->getDeclName().isIdentifier())
    Named = Field->getNameAsString();
  llvm::StringRef Name = Named.empty() ? Field->getName() : llvm::StringRef(Named);
  if (!get(Base).isObject()) {
    // A record that came from outside: its members appear as they are asked for.
    ObjectId O = object(Object::Record);
    P.Objects.edit(O).External = true;
    set(Base, Value::object(O));
  }
  ObjectId O = get(Base).O;
  const Object &Known = P.Objects[O];
  if (Known.K == Object::Tuple && Known.Elements.size() >= 2) {
    if (Name == "first")
      return Known.Elements[0];
    if (Name == "second")
      return Known.Elements[1];
  }
  for (const auto &[N, C] : Known.Members)
    if (N == Name)
      return C;
  if (auto C = Known.field(Name))
    return *C;
  for (const auto &[N, C] : Known.Parameters)
    if (N == Name)
      return C;
  for (const auto &[N, C] : Known.Buffers)
    if (N == Name)
      return C;
  CellId C;
  if (Known.K == Object::Module && !Known.Name.empty() && Name == "options") {
    auto Fields = Known.Fields;
    ObjectId Opts = object(Object::Options, "options");
    P.Objects.edit(Opts).Fields = std::move(Fields);
    C = cell(Value::object(Opts));
  } else {
    C = cell(Known.External || Known.Class == nullptr
                 ? externalValue(Field->getType(), site(Field->getLocation()), Name.str())
                 : defaultValue(Field->getType()));
  }
  P.Objects.edit(O).Fields.push_back({Name.str(), C});
  return C;
}

CellId Interpreter::element(CellId Base, const Value &Index, QualType T) {
  if (get(Base).K == Value::Pointer)
    Base = get(Base).C;
  // A pointer into a container.
  if (const Value V = get(Base); isIterator(V))
    return pointedTo(V, Index, T);
  const Value V = get(Base);
  if (V.K == Value::RawData) {
    // data_ptr<float>()[i]: a number that aliases the tensor; writes to it go to rawWrite.
    Value X;
    X.K = Value::RawData;
    X.T = V.T;
    return cell(X);
  }
  if (!V.isObject()) {
    ObjectId O = object(Object::Sequence);
    P.Objects.edit(O).Open = true;
    P.Objects.edit(O).External = true;
    set(Base, Value::object(O));
  }
  ObjectId O = get(Base).O;
  const Object X = P.Objects[O];
  if (Index.K == Value::Integer && Index.I >= 0) {
    if (Index.I < static_cast<int64_t>(X.Elements.size()))
      return X.Elements[Index.I];
    if (Index.I < static_cast<int64_t>(MostElements)) {
      while (static_cast<int64_t>(P.Objects[O].Elements.size()) <= Index.I) {
        CellId C = cell(X.External ? externalValue(T, {}, "element") : defaultValue(T));
        P.Objects.edit(O).Elements.push_back(C);
      }
      return P.Objects[O].Elements[Index.I];
    }
  }
  if (!X.Elements.empty())
    return X.Elements.back(); // an unknown index: some element
  CellId C = cell(X.External ? externalValue(T, {}, "element") : defaultValue(T));
  P.Objects.edit(O).Elements.push_back(C);
  P.Objects.edit(O).Open = true;
  return C;
}

CellId Interpreter::lvalue(const Expr *E) {
  tick();
  E = E->IgnoreParens();
  if (E->containsErrors() && isBroken(E))
    return broken(E);
  if (const auto *D = dyn_cast<DeclRefExpr>(E)) {
    if (const auto *F = dyn_cast<FunctionDecl>(D->getDecl())) {
      Value V;
      V.K = Value::Function;
      V.F = F;
      return cell(V);
    }
    if (const auto *C = dyn_cast<EnumConstantDecl>(D->getDecl()))
      return cell(Value::integer(C->getInitVal().getExtValue()));
    if (const auto *B = dyn_cast<BindingDecl>(D->getDecl()); B && Current) {
      auto It = Current->Variables.find(B);
      if (It != Current->Variables.end())
        return It->second;
    }
    return variable(D->getDecl());
  }
  if (const auto *M = dyn_cast<MemberExpr>(E)) {
    if (const auto *V = dyn_cast<VarDecl>(M->getMemberDecl()))
      return variable(V);
    CellId Base;
    if (M->isArrow())
      Base = dereference(rvalue(M->getBase()), M->getBase()->getType()->getPointeeType());
    else
      Base = lvalueOf(M->getBase());
    return member(Base, M->getMemberDecl());
  }
  if (const auto *C = dyn_cast<CastExpr>(E))
    return lvalueOf(C->getSubExpr());
  if (const auto *M = dyn_cast<MaterializeTemporaryExpr>(E)) {
    CellId C = lvalueOf(M->getSubExpr());
    if (needsDestruction(M->getType()))
      Lives.push_back({C, M->getType()});
    return C;
  }
  if (const auto *F = dyn_cast<FullExpr>(E))
    return lvalueOf(F->getSubExpr());
  if (const auto *B = dyn_cast<CXXBindTemporaryExpr>(E))
    return lvalueOf(B->getSubExpr());
  if (const auto *D = dyn_cast<CXXDefaultArgExpr>(E))
    return lvalueOf(D->getExpr());
  if (const auto *D = dyn_cast<CXXDefaultInitExpr>(E))
    return lvalueOf(D->getExpr());
  if (const auto *U = dyn_cast<UnaryOperator>(E)) {
    if (U->getOpcode() == UO_Deref)
      return dereference(rvalue(U->getSubExpr()), U->getType());
    CellId C = lvalueOf(U->getSubExpr());
    if (U->isIncrementDecrementOp()) {
      Value V = get(C);
      if (V.K == Value::RawData)
        Torch.rawWrite(V.T, "raw pointer", {}, site(E));
      else if (V.K == Value::Integer)
        set(C, Value::integer(V.I + (U->isIncrementOp() ? 1 : -1)));
      else if (isIterator(V))
        set(C, movedBy(V, Value::integer(U->isIncrementOp() ? 1 : -1)));
      else if (!V.isObject() && V.K != Value::Pointer)
        set(C, fresh());
    }
    return C;
  }
  if (const auto *B = dyn_cast<BinaryOperator>(E)) {
    if (B->getOpcode() == BO_Comma) {
      evaluate(B->getLHS());
      return lvalueOf(B->getRHS());
    }
    if (B->isAssignmentOp()) {
      Value R = rvalue(B->getRHS());
      CellId L = lvalueOf(B->getLHS());
      elementWritten(L, site(E));
      const Value Old = get(L);
      if (Old.K == Value::RawData && B->getLHS()->getType()->isArithmeticType()) {
        // *p = v, accessor[i] = v: a write that autograd does not see
        Torch.rawWrite(Old.T, "raw pointer", R.T.T ? std::vector<Operand>{R.T} : std::vector<Operand>{},
                       site(E));
        return L;
      }
      set(L, B->isCompoundAssignmentOp()
                 ? arithmetic(BinaryOperator::getOpForCompoundAssignment(B->getOpcode()), Old, R)
                 : copy(R));
      return L;
    }
  }
  if (const auto *C = dyn_cast<AbstractConditionalOperator>(E))
    return decide(rvalue(C->getCond()), C) ? lvalueOf(C->getTrueExpr())
                                           : lvalueOf(C->getFalseExpr());
  if (const auto *A = dyn_cast<ArraySubscriptExpr>(E)) {
    CellId Base = lvalueOf(A->getBase());
    Value Index = rvalue(A->getIdx());
    return element(Base, Index, A->getType());
  }
  if (const auto *C = dyn_cast<CallExpr>(E))
    return call(C);
  if (const auto *O = dyn_cast<OpaqueValueExpr>(E))
    return O->getSourceExpr() ? lvalueOf(O->getSourceExpr()) : cell();
  if (const auto *S = dyn_cast<SubstNonTypeTemplateParmExpr>(E))
    return lvalueOf(S->getReplacement());
  if (const auto *L = dyn_cast<StringLiteral>(E))
    return cell(constant("str:" + L->getString().str()));
  if (isa<PredefinedExpr>(E))
    return cell(fresh());
  if (const auto *T = dyn_cast<CXXTypeidExpr>(E)) {
    // Of a polymorphic object, its own class; a type is known by its declaration.
    QualType Type = T->isTypeOperand() ? T->getTypeOperand(Context) : T->getExprOperand()->getType();
    const void *Identity = Type.getCanonicalType().getAsOpaquePtr();
    if (!T->isTypeOperand()) {
      const Value V = get(lvalueOf(T->getExprOperand()));
      const CXXRecordDecl *R = V.isObject() ? P.Objects[V.O].Class : nullptr;
      if (!R)
        return cell(fresh());
      Identity = R->getCanonicalDecl();
    } else if (const CXXRecordDecl *R = Type->getAsCXXRecordDecl()) {
      Identity = R->getCanonicalDecl();
    }
    return cell(Value::integer(static_cast<int64_t>(reinterpret_cast<intptr_t>(Identity))));
  }
  if (!E->isGLValue())
    return cell(rvalue(E));
  untracked(std::string("expression ") + E->getStmtClassName());
  return cell(externalValue(E->getType(), site(E), "expression"));
}

//===--- rvalues ---------------------------------------------------------------------------===//

Value Interpreter::castValue(const CastExpr *E) {
  switch (E->getCastKind()) {
  case CK_ToVoid:
    evaluate(E->getSubExpr());
    return {};
  case CK_NullToPointer:
    return Value::null();
  case CK_FunctionToPointerDecay:
    return get(lvalueOf(E->getSubExpr()));
  case CK_FloatingToIntegral: {
    Value V = rvalue(E->getSubExpr());
    if (V.K == Value::Floating)
      return Value::integer(static_cast<int64_t>(V.D));
    return V;
  }
  case CK_IntegralToFloating: {
    Value V = rvalue(E->getSubExpr());
    if (V.K == Value::Integer) {
      Value F = Value::floating(static_cast<double>(V.I));
      F.Written = V.Written;
      F.Variable = V.Variable;
      return F;
    }
    return V;
  }
  case CK_IntegralToBoolean: {
    Value V = rvalue(E->getSubExpr());
    if (V.K == Value::Integer) {
      V.I = V.I != 0;
      return V;
    }
    return V;
  }
  case CK_LValueToRValue: {
    CellId Where = lvalueOf(E->getSubExpr());
    Value V = get(Where);
    if (V.K == Value::RawData && E->getType()->isArithmeticType()) {
      Value N = fresh(); // a number read from the tensor
      N.T = V.T;
      return N;
    }
    if (E->getType()->isArithmeticType() && !V.Inverse)
      V.Variable = Where;
    return V;
  }
  case CK_ArrayToPointerDecay: {
    CellId C = lvalueOf(E->getSubExpr());
    if (get(C).isObject() || get(C).K == Value::RawData ||
        (get(C).K == Value::Unknown && Constants.count(get(C).Symbol))) // a text is its characters
      return get(C);
    return Value::pointer(C);
  }
  default:
    return rvalue(E->getSubExpr());
  }
}

Value Interpreter::rvalue(const Expr *E) {
  tick();
  E = E->IgnoreParens();
  if (E->containsErrors() && isBroken(E))
    return get(broken(E));
  if (E->isGLValue())
    return get(lvalue(E));
  switch (E->getStmtClass()) {
  case Stmt::IntegerLiteralClass: {
    Value V = Value::integer(
        static_cast<int64_t>(cast<IntegerLiteral>(E)->getValue().getLimitedValue()));
    V.Written = E->getBeginLoc();
    return V;
  }
  case Stmt::CXXBoolLiteralExprClass: {
    Value V = Value::integer(cast<CXXBoolLiteralExpr>(E)->getValue());
    V.Written = E->getBeginLoc();
    return V;
  }
  case Stmt::FloatingLiteralClass:
    return Value::floating(cast<FloatingLiteral>(E)->getValueAsApproximateDouble());
  case Stmt::CharacterLiteralClass:
    return Value::integer(cast<CharacterLiteral>(E)->getValue());
  case Stmt::CXXNullPtrLiteralExprClass:
  case Stmt::GNUNullExprClass:
    return Value::null();
  case Stmt::CXXThisExprClass:
    return Current ? Current->This : Value();
  case Stmt::LambdaExprClass:
    return lambda(cast<LambdaExpr>(E));
  case Stmt::InitListExprClass:
    return initList(cast<InitListExpr>(E));
  case Stmt::CXXStdInitializerListExprClass:
    return rvalue(cast<CXXStdInitializerListExpr>(E)->getSubExpr());
  case Stmt::StringLiteralClass:
    return constant("str:" + cast<StringLiteral>(E)->getString().str());
  default:
    break;
  }
  if (const auto *C = dyn_cast<CastExpr>(E))
    return castValue(C);
  if (const auto *M = dyn_cast<MaterializeTemporaryExpr>(E))
    return rvalue(M->getSubExpr());
  if (const auto *F = dyn_cast<FullExpr>(E))
    return rvalue(F->getSubExpr());
  if (const auto *B = dyn_cast<CXXBindTemporaryExpr>(E))
    return rvalue(B->getSubExpr());
  if (const auto *D = dyn_cast<CXXDefaultArgExpr>(E))
    return rvalue(D->getExpr());
  if (const auto *D = dyn_cast<CXXDefaultInitExpr>(E))
    return rvalue(D->getExpr());
  if (const auto *S = dyn_cast<SubstNonTypeTemplateParmExpr>(E))
    return rvalue(S->getReplacement());
  if (const auto *C = dyn_cast<CXXConstructExpr>(E))
    return construct(C);
  if (const auto *C = dyn_cast<CallExpr>(E))
    return get(call(C));
  if (const auto *N = dyn_cast<CXXNewExpr>(E)) {
    if (N->isArray()) {
      ObjectId O = object(Object::Sequence);
      P.Objects.edit(O).Open = true;
      return Value::object(O);
    }
    Value V = N->getInitializer() ? rvalue(N->getInitializer()) : defaultValue(N->getAllocatedType());
    return V.isObject() ? V : Value::pointer(cell(V));
  }
  if (const auto *D = dyn_cast<CXXDeleteExpr>(E)) {
    Value V = rvalue(D->getArgument());
    destroy(V, D->getDestroyedType());
    return {};
  }
  if (isa<CXXThrowExpr>(E)) {
    const Expr *X = cast<CXXThrowExpr>(E)->getSubExpr();
    if (!X)
      throw ProgramException(Handled); // the exception being handled
    const Value What = get(lvalueOf(X));
    throw ProgramException{ProgramException::Typed, X->getType(), What};
  }
  if (const auto *U = dyn_cast<UnaryOperator>(E))
    return unary(U);
  if (const auto *B = dyn_cast<BinaryOperator>(E))
    return binary(B);
  if (const auto *R = dyn_cast<CXXRewrittenBinaryOperator>(E)) { // a != b as !(a == b)
    if (Kinds.kind(R->getLHS()->getType()) != ClassKind::Iterator)
      return rvalue(R->getSemanticForm());
    const Value A = get(lvalueOf(R->getLHS())), B = get(lvalueOf(R->getRHS()));
    if (isIterator(A) && isIterator(B))
      if (std::optional<Value> V = compared(R->getOpcode(), A, B))
        return *V;
    return fresh();
  }
  if (const auto *C = dyn_cast<AbstractConditionalOperator>(E)) {
    Value Condition = rvalue(C->getCond());
    CellId Result = cell();
    auto Arm = [&](const Expr *X) {
      return [this, Result, X] {
        set(Result, rvalue(X));
        return Flow::Normal;
      };
    };
    branch(Condition, C, Arm(C->getTrueExpr()), Arm(C->getFalseExpr()));
    return get(Result);
  }
  if (isa<ImplicitValueInitExpr>(E) || isa<CXXScalarValueInitExpr>(E)) {
    if (E->getType()->isIntegralOrEnumerationType())
      return Value::integer(0);
    if (E->getType()->isFloatingType())
      return Value::floating(0);
    if (E->getType()->isPointerType())
      return Value::null();
    return defaultValue(E->getType());
  }
  Expr::EvalResult R;
  // Clang's evaluator relies on types, which an expression in broken code may lack.
  if (!E->getType().isNull() && !E->isValueDependent() && !E->isTypeDependent() &&
      !E->containsErrors() && E->EvaluateAsInt(R, Context))
    return Value::integer(R.Val.getInt().getExtValue());
  return externalValue(E->getType(), site(E), "expression");
}

Value Interpreter::lambda(const LambdaExpr *E) {
  ObjectId O = object(Object::Closure);
  std::vector<std::pair<const ValueDecl *, CellId>> Captures;
  for (const LambdaCapture &C : E->captures()) {
    if (!C.capturesVariable())
      continue;
    const ValueDecl *D = C.getCapturedVar();
    CellId X;
    if (const auto *V = dyn_cast<VarDecl>(D); V && V->isInitCapture())
      X = V->getType()->isReferenceType() ? lvalueOf(V->getInit()) : cell(rvalue(V->getInit()));
    else
      X = C.getCaptureKind() == LCK_ByRef ? variable(D) : cell(copy(get(variable(D))));
    Captures.push_back({D, X});
  }
  Object &X = P.Objects.edit(O);
  X.Lambda = E;
  X.Callee = E->getCallOperator();
  X.Captures = std::move(Captures);
  X.This = Current ? Current->This : Value();
  return Value::object(O);
}

Value Interpreter::initList(const InitListExpr *E) {
  if (E->isTransparent())
    return rvalue(E->getInit(0));
  const CXXRecordDecl *R = E->getType()->getAsCXXRecordDecl();
  if (R && Kinds.kind(R) == ClassKind::Sequence && E->getNumInits() == 1)
    return rvalue(E->getInit(0)); // std::array{{...}}
  if (R && Kinds.kind(R) != ClassKind::Sequence) {
    Value Self = Value::object(object(Object::Record, "", R));
    unsigned I = 0;
    for (const CXXBaseSpecifier &B : R->bases()) {
      if (I >= E->getNumInits())
        break;
      // `struct overloaded : F, G`: the lambdas are its bases.
      CellId Base = cell(rvalue(E->getInit(I++)));
      if (const CXXRecordDecl *X = B.getType()->getAsCXXRecordDecl(); X && X->isLambda())
        P.Objects.edit(Self.O).Fields.push_back({"base " + std::to_string(I), Base});
    }
    for (const FieldDecl *F : R->fields()) {
      if (I >= E->getNumInits())
        break;
      const Expr *X = E->getInit(I++);
      CellId C = F->getType()->isReferenceType() ? lvalueOf(X) : cell(secondName(rvalue(X), X));
      if (get(C).isTensor() && get(C).T.Kept)
        P.Cells.edit(C).Bound = site(X);
      if (get(C).isTensor() && get(C).T.Kept)
        P.Cells.edit(C).Bound = site(X);
      shape(C, F->getType(), site(X));
      P.Objects.edit(Self.O).Fields.push_back({F->getNameAsString(), C});
    }
    return Self;
  }
  if (!R && !E->getType()->isArrayType())
    return E->getNumInits() == 1 ? rvalue(E->getInit(0)) : defaultValue(E->getType());
  std::vector<CellId> Elements;
  for (const Expr *X : E->inits())
    Elements.push_back(cell(secondName(rvalue(X), X)));
  ObjectId O = object(Object::Sequence);
  P.Objects.edit(O).Elements = std::move(Elements);
  return Value::object(O);
}

} // namespace torch_tidy::model
