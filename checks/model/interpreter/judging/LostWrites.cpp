// Writes that nobody will see (into copies, temporaries, rebound handles), and memory of the
// program's that tensors share with it (from_blob). See Note [Suspicions].
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"
#include "clang/Basic/SourceManager.h"

using namespace clang;

namespace torch_tidy::model {

using autograd::DefectKind;
using autograd::Outcome;
using autograd::Suspicion;

bool Interpreter::isInPlaceMethod(const Call &C) const {
  if (!C.Method || Kinds.kind(C.Method->getParent()) != ClassKind::Tensor)
    return false;
  switch (C.Operator) {
  case OO_PlusEqual:
  case OO_MinusEqual:
  case OO_StarEqual:
  case OO_SlashEqual:
    return true;
  case OO_Equal:
    return C.Method->getRefQualifier() == RQ_RValue;
  default:
    return C.Name.ends_with("_") && !C.Name.ends_with("__") && C.Name != "requires_grad_" &&
           C.Name != "detach_";
  }
}

/// Whoever hands a tensor to the library uses its value; an in-place operation whose result is
/// dropped does not use what it writes, and binding a fresh value to a variable uses nothing.
void Interpreter::noteReads(const Call &C) {
  bool Tensor = C.Method && Kinds.kind(C.Method->getParent()) == ClassKind::Tensor;
  bool Binds = Tensor && C.Operator == OO_Equal && C.Method->getRefQualifier() != RQ_RValue;
  bool Fresh = Binds && !C.Written.empty() && C.Written[0] && [&] {
    const Expr *E = C.Written[0]->IgnoreParenImpCasts();
    if (const auto *M = dyn_cast<MaterializeTemporaryExpr>(E))
      E = M->getSubExpr();
    return E->isPRValue();
  }();
  if (!Fresh)
    for (CellId A : C.Arguments)
      for (const Operand &X : tensorsIn(get(A)))
        Torch.read(X.T);
  // A container that is asked for its size, or for an element, uses no value.
  const ClassKind Kind = C.Method ? Kinds.kind(C.Method->getParent()) : ClassKind::Other;
  bool Holds = Kind == ClassKind::Sequence || Kind == ClassKind::Map;
  if (C.Self && !Binds && !Holds && !(isInPlaceMethod(C) && C.Discarded))
    for (const Operand &X : tensorsIn(get(C.Self)))
      Torch.read(X.T);
}

namespace {

bool anyOfGradient(const autograd::State &S, const std::vector<Operand> &Values) {
  return std::any_of(Values.begin(), Values.end(),
                     [&](const Operand &X) { return X.T && S.Tensors[X.T].OfGradient; });
}

} // namespace

/// `x.index({mask}) = v`, `x.clone().mul_(2)`, `x.abs().add_(1)`: the object written is a copy, or
/// another new value, that dies at once, or a copy of selected elements that nobody reads afterwards.
void Interpreter::noteLostWrite(const Call &C) {
  if (!C.Discarded || !C.Self || !isInPlaceMethod(C) || !C.E)
    return;
  Operand Written = tensorOperand(C.Self);
  if (!Written.T)
    return;
  auto &S = Torch.S;
  TensorId Copy = Written.T;
  if (S.Tensors[Copy].IsView)
    Copy = S.Families[S.Tensors[Copy].Kin].Base;
  if (!Copy || S.Tensors[Copy].Untracked)
    return;
  auto MadeHere = [&](TensorId T) {
    SourceLocation L = location(S.Tensors[T].Made);
    return L.isValid() && !L.isMacroID() && Sources.isPointWithin(L, C.E->getBeginLoc(), C.E->getEndLoc());
  };
  bool Temporary = MadeHere(Copy);
  auto Source = [&](TensorId T) {
    const autograd::Tensor &X = S.Tensors[T];
    return X.CopiedFrom || !Temporary ? X.CopiedFrom : X.ComputedFrom;
  };
  TensorId Meant = Source(Copy);
  if (!Meant || (!Temporary && !S.Tensors[Copy].Selected))
    return;
  while (Temporary && Source(Meant) && MadeHere(Meant))
    Meant = Source(Meant);
  const autograd::Tensor X = S.Tensors[Meant];
  if (X.Untracked)
    return;
  std::vector<Operand> Values;
  for (CellId A : C.Arguments)
    for (const Operand &V : tensorsIn(get(A)))
      Values.push_back(V);
  bool Update = X.LeafRequiresGrad && anyOfGradient(S, Values);
  Suspicion New;
  New.What.Kind = DefectKind::WriteLost;
  New.What.Effect = Update ? Outcome::Stale : Outcome::Wrong;
  New.What.Culprit = C.At;
  New.What.Operation = C.Name.str();
  New.What.OfLeaf = Torch.requiresGrad(Meant) && S.GradMode;
  New.What.Repairable = New.What.OfLeaf && !X.LeafRequiresGrad;
  const bool IsCopy = static_cast<bool>(S.Tensors[Copy].CopiedFrom);
  New.What.Message = std::string("the write goes into the ") + (IsCopy ? "copy" : "value") +
                     " that '" + S.Tensors[Copy].MadeBy + "' returns and is lost with it";
  New.What.Chain.push_back(
      {S.Tensors[Copy].Made, IsCopy ? "the copy is made here" : "the value is made here"});
  New.What.Chain.push_back({C.At, "it is written here"});
  if (!Temporary) {
    New.Unread = S.Tensors[Copy].Memory;
    New.Since = Torch.now();
  }
  if (Update && S.Backwards)
    Torch.accuse(std::move(New));
  else
    Torch.suspect(Meant, std::move(New));
}

namespace {

/// The method of a container that E calls on the variable V itself.
llvm::StringRef calledOn(const Stmt *E, const VarDecl *V) {
  const auto *M = dyn_cast_or_null<CXXMemberCallExpr>(E);
  if (!M || !M->getMethodDecl() || !M->getMethodDecl()->getDeclName().isIdentifier())
    return {};
  const auto *D = dyn_cast<DeclRefExpr>(M->getImplicitObjectArgument()->IgnoreParenImpCasts());
  return D && D->getDecl() == V ? M->getMethodDecl()->getName() : llvm::StringRef();
}

/// Whether a function does nothing with the container V but add to it.
bool onlyAdds(const Stmt *Body, const VarDecl *V) {
  std::vector<const Stmt *> Work{Body};
  while (!Work.empty()) {
    const Stmt *S = Work.back();
    Work.pop_back();
    if (!S)
      continue;
    if (const auto *D = dyn_cast<DeclRefExpr>(S); D && D->getDecl() == V)
      return false;
    bool Adds = isOneOf(calledOn(S, V), {"push_back", "emplace_back", "reserve"});
    for (const Stmt *Child : S->children())
      if (!Adds || Child != *S->child_begin()) // the callee names the container
        Work.push_back(Child);
  }
  return true;
}

} // namespace

/// `void collect(std::vector<Tensor> all, const Module &m)`: what is added to a parameter that was
/// passed by value goes with it.
void Interpreter::noteLostElements(const Call &C) {
  const FunctionDecl *Inside = Current ? Current->Function : nullptr;
  const auto *M = dyn_cast_or_null<CXXMemberCallExpr>(C.E);
  if (!M || !Inside || !Inside->getBody() || !Inside->getReturnType()->isVoidType() ||
      !isOneOf(C.Name, {"push_back", "emplace_back"}) || C.Arguments.size() != 1)
    return;
  const auto *D = dyn_cast<DeclRefExpr>(M->getImplicitObjectArgument()->IgnoreParenImpCasts());
  const auto *V = D ? dyn_cast<ParmVarDecl>(D->getDecl()) : nullptr;
  if (!V || V->getType()->isReferenceType() || Kinds.kind(V->getType()) != ClassKind::Sequence)
    return;
  const Operand X = tensorOperand(C.Arguments[0]);
  if (!X.T || !Torch.S.Tensors[X.T].LeafRequiresGrad || !onlyAdds(Inside->getBody(), V))
    return;
  Suspicion New;
  New.What.Kind = DefectKind::WriteLost;
  New.What.Effect = Outcome::Stale;
  New.What.Culprit = C.At;
  New.What.Operation = C.Name.str();
  New.What.Message = "adds a parameter to a copy of the list, which was passed by value and is lost";
  New.What.Chain.push_back({Torch.S.Tensors[X.T].Made, "the parameter is made here"});
  New.What.Chain.push_back({C.At, "it is added to the copy here"});
  Torch.accuse(std::move(New));
}

/// `for (auto p : parameters) p = p - lr * g`, `parameters()[i] = v`: assigning to a tensor
/// variable binds it to another tensor. Where the variable is a copy of a handle, the tensor that
/// it was bound to is as it was.
void Interpreter::noteRebinding(const Call &C, const Value &New) {
  const auto *Assignment = dyn_cast_or_null<CXXOperatorCallExpr>(C.E);
  const Value Old = C.Self ? get(C.Self) : Value();
  if (!Assignment || Assignment->getNumArgs() != 2 || Old.K != Value::Tensor || !Old.T.T ||
      New.K != Value::Tensor || !New.T.T || New.T.T == Old.T.T)
    return;
  enum { None, Temporary, LoopReference, LoopCopy, ByValue, Local, LocalContainer } Holder = None;
  const Expr *L = Assignment->getArg(0)->IgnoreParenImpCasts();
  // item.value(), pair.second
  if (const auto *M = dyn_cast<CXXMemberCallExpr>(L);
      M && M->getMethodDecl() && M->getMethodDecl()->getDeclName().isIdentifier() &&
      M->getMethodDecl()->getName() == "value")
    L = M->getImplicitObjectArgument()->IgnoreParenImpCasts();
  else if (const auto *M = dyn_cast<MemberExpr>(L); M && M->getMemberDecl()->getName() == "second")
    L = M->getBase()->IgnoreParenImpCasts();
  if (const auto *D = dyn_cast<DeclRefExpr>(L)) {
    const auto *V = dyn_cast<VarDecl>(D->getDecl());
    if (const auto *B = dyn_cast<BindingDecl>(D->getDecl()))
      V = dyn_cast<VarDecl>(B->getDecomposedDecl());
    if (!V)
      return;
    bool Reference = V->getType()->isReferenceType();
    if (V->isCXXForRangeDecl())
      Holder = !Reference                   ? LoopCopy
               : TemporaryRanges.count(V) ? LoopReference
                                          : None;
    else if (isa<ParmVarDecl>(V))
      Holder = Reference ? None : ByValue;
    else if (!Reference && V->isLocalVarDecl() && !V->isStaticLocal() &&
             !isa<DecompositionDecl>(V))
      Holder = Local;
  } else {
    const Expr *Container = nullptr;
    if (const auto *O = dyn_cast<CXXOperatorCallExpr>(L); O && O->getOperator() == OO_Subscript)
      Container = O->getArg(0);
    else if (const auto *M = dyn_cast<CXXMemberCallExpr>(L))
      Container = M->getImplicitObjectArgument();
    if (Container) {
      Container = Container->IgnoreParenImpCasts();
      const auto *Made = dyn_cast<MaterializeTemporaryExpr>(Container);
      if ((Made || Container->isPRValue()) && !Kinds.isTensor(Container->getType()) &&
          !Container->getType()->isPointerType())
        Holder = Temporary;
      // auto all = target->parameters(); all[i] = 0.9 * all[i] + 0.1 * other[i];
      const auto *D = dyn_cast<DeclRefExpr>(Container);
      if (const auto *V = D ? dyn_cast<VarDecl>(D->getDecl()) : nullptr;
          V && V->isLocalVarDecl() && !V->isStaticLocal() && !V->getType()->isReferenceType() &&
          Kinds.kind(V->getType()) == ClassKind::Sequence)
        Holder = LocalContainer;
    }
  }
  if (Holder == None)
    return;
  auto &S = Torch.S;
  const autograd::Tensor X = S.Tensors[Old.T.T];
  if (X.Untracked)
    return;
  bool Trained = X.IsParameter || X.LeafRequiresGrad;
  bool Update = Trained && S.Tensors[New.T.T].OfGradient && S.Backwards > 0;
  if (Holder == Local) {
    bool Elsewhere = X.IsParameter || std::find(S.Parameters.begin(), S.Parameters.end(),
                                                Old.T.T) != S.Parameters.end();
    if (!Update || !Elsewhere)
      return;
  }
  if (Holder == LocalContainer) {
    const auto Of = Torch.dependences(New.T.T);
    if (!X.IsParameter || std::none_of(Of.begin(), Of.end(), [&](const auto &E) {
          return E.first == Old.T.T;
        }))
      return;
  }
  if (Holder == ByValue && !Trained &&
      (!Current || !Current->Function || !Current->Function->getReturnType()->isVoidType()))
    return;
  Suspicion D;
  D.What.Kind = DefectKind::WriteLost;
  D.What.Effect = Update ? Outcome::Stale : Outcome::Wrong;
  D.What.Culprit = C.At;
  D.What.Operation = "=";
  D.What.Message = std::string("the assignment rebinds ") +
                   (Holder == Temporary || Holder == LoopReference ? "an element of a temporary container"
                    : Holder == LoopCopy ? "the loop's copy of a handle"
                    : Holder == LocalContainer ? "an element of a container of handles"
                    : Holder == ByValue  ? "a parameter that was passed by value"
                                         : "a copy of the handle") +
                   "; the tensor itself is not changed";
  D.What.Chain.push_back({X.Made, "the tensor is made here"});
  D.What.Chain.push_back({C.At, "the handle is bound to another tensor here"});
  if (Holder != Temporary) {
    D.Unread = S.Tensors[New.T.T].Memory;
    Torch.read(New.T.T);
    D.Since = Torch.now();
  }
  if (Update)
    Torch.accuse(std::move(D));
  else
    Torch.suspect(Old.T.T, std::move(D));
}

//===--- memory of the program's -----------------------------------------------------------===//

/// The container that a pointer, iterator or array leads into.
std::optional<ObjectId> Interpreter::ownerOf(const Value &V) const {
  if (V.K == Value::Pointer)
    return get(V.C).isObject() ? ownerOf(get(V.C)) : std::nullopt;
  if (!V.isObject())
    return std::nullopt;
  const Object &O = P.Objects[V.O];
  if (O.K == Object::Sequence)
    return V.O;
  if (O.K == Object::Iterator && !O.Elements.empty() && get(O.Elements[0]).isObject() &&
      P.Objects[get(O.Elements[0]).O].K == Object::Sequence)
    return get(O.Elements[0]).O;
  return std::nullopt;
}

void Interpreter::bufferWritten(ObjectId Owner, Site At) {
  if (auto It = P.Blobs.find(Owner); It != P.Blobs.end())
    Torch.fillAnew(It->second, At);
}

/// A container that is assigned to keeps its memory (an array), or gives it back: what from_blob()
/// made of it is over what the container's next tensors are made over, or over nothing.
void Interpreter::bufferAssigned(ObjectId Owner, const Value &Now) {
  auto It = P.Blobs.find(Owner);
  if (It == P.Blobs.end() || !Now.isObject() || Now.O == Owner)
    return;
  const autograd::StorageId Memory = It->second;
  P.Blobs.erase(It);
  P.Blobs[Now.O] = Memory;
}

/// A container's memory gets the numbers of tensors: memcpy() from their data.
void Interpreter::fillWithNumbers(ObjectId Owner, const std::vector<Operand> &From, Site At) {
  if (From.empty())
    return;
  Value Number = fresh();
  Number.T = From.size() == 1 ? From.front() : Torch.number(From, At);
  for (CellId C : std::vector<CellId>(P.Objects[Owner].Elements))
    set(C, Number);
  if (P.Objects[Owner].Elements.empty()) {
    CellId Some = cell(Number);
    P.Objects.edit(Owner).Elements.push_back(Some);
    P.Objects.edit(Owner).Open = true;
  }
}

void Interpreter::elementWritten(CellId Element, Site At) {
  for (const auto &[Owner, Memory] : P.Blobs)
    for (CellId C : P.Objects[Owner].Elements)
      if (C == Element) {
        Torch.fillAnew(Memory, At);
        return;
      }
}

/// A library function that is given a pointer to non-const may write through it; one that is given a
/// container to move from takes its memory.
void Interpreter::buffersWrittenBy(const Call &C) {
  if (P.Blobs.empty() || C.Name == "from_blob")
    return;
  for (size_t I = 0; I < C.Arguments.size() && I < C.Callee->getNumParams(); ++I) {
    QualType T = C.Callee->getParamDecl(I)->getType();
    const Value Given = get(C.Arguments[I]);
    if (T->isRValueReferenceType() && Given.isObject() && P.Objects[Given.O].K == Object::Sequence)
      P.Blobs.erase(Given.O); // the memory lives on where it was moved to
    if (!T->isPointerType() || T->getPointeeType().isConstQualified())
      continue;
    if (auto Owner = ownerOf(get(C.Arguments[I])))
      bufferWritten(*Owner, C.At);
  }
}

/// A local container goes out of scope: what from_blob() made of it points to nothing.
void Interpreter::endOfBuffer(const Value &V) {
  if (!V.isObject() || P.Objects[V.O].K != Object::Sequence)
    return;
  auto It = P.Blobs.find(V.O);
  if (It == P.Blobs.end())
    return;
  autograd::Storage &M = Torch.S.Storages.edit(It->second);
  M.LastBlob = std::numeric_limits<int>::max();
  P.Blobs.erase(It);
}

} // namespace torch_tidy::model
