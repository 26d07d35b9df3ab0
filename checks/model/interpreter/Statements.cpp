#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"
#include "clang/Basic/SourceManager.h"

using namespace clang;

namespace torch_tidy::model {

void Interpreter::tick() {
  if (++Steps > Options.StepBudget)
    throw PathEnd();
}

Interpreter::Flow Interpreter::execute(const Stmt *S) {
  if (!S)
    return Flow::Normal;
  tick();
  struct Executing {
    Frame *F;
    const Stmt *Before;
    Executing(Frame *F, const Stmt *S) : F(F), Before(F ? F->At : nullptr) {
      if (F)
        F->At = S;
    }
    ~Executing() {
      if (F)
        F->At = Before;
    }
  } Here(Current, S);
  switch (S->getStmtClass()) {
  case Stmt::CompoundStmtClass: {
    size_t Mark = Lives.size();
    Flow F = Flow::Normal;
    if (!Holes.empty())
      F = executeWithHoles(cast<CompoundStmt>(S));
    else
      for (const Stmt *X : cast<CompoundStmt>(S)->body())
        if ((F = execute(X)) != Flow::Normal)
          break;
    unwind(Mark);
    return F;
  }
  case Stmt::DeclStmtClass:
    for (const Decl *D : cast<DeclStmt>(S)->decls())
      if (const auto *V = dyn_cast<VarDecl>(D))
        declare(V);
    return Flow::Normal;
  case Stmt::ReturnStmtClass: {
    noteOwed(S);
    if (const Expr *E = cast<ReturnStmt>(S)->getRetValue()) {
      bool Reference = Current->Function && Current->Function->getReturnType()->isReferenceType();
      if (Reference) {
        Current->Result = lvalueOf(E);
      } else {
        size_t Mark = Lives.size();
        Value V = rvalue(E);
        for (const Operand &X : tensorsIn(V))
          Torch.read(X.T);
        unwind(Mark);
        Current->Result = cell(V);
      }
    }
    return Flow::Return;
  }
  case Stmt::IfStmtClass:
    return executeIf(cast<IfStmt>(S));
  case Stmt::ForStmtClass: {
    const auto *F = cast<ForStmt>(S);
    size_t Mark = Lives.size();
    execute(F->getInit());
    Flow R = explore(S, Region::Loop, [&] {
      return executeFor(F->getCond(), F->getBody(), F->getInc(), false);
    });
    unwind(Mark);
    return R;
  }
  case Stmt::WhileStmtClass:
    return explore(S, Region::Loop, [&] {
      return executeFor(cast<WhileStmt>(S)->getCond(), cast<WhileStmt>(S)->getBody(), nullptr,
                        false);
    });
  case Stmt::DoStmtClass:
    return explore(S, Region::Loop, [&] {
      return executeFor(cast<DoStmt>(S)->getCond(), cast<DoStmt>(S)->getBody(), nullptr, true);
    });
  case Stmt::CXXForRangeStmtClass:
    return explore(S, Region::Loop, [&] { return executeRangeFor(cast<CXXForRangeStmt>(S)); });
  case Stmt::SwitchStmtClass:
    return explore(S, Region::Branch, [&] { return executeSwitch(cast<SwitchStmt>(S)); });
  case Stmt::CaseStmtClass:
  case Stmt::DefaultStmtClass:
    return execute(cast<SwitchCase>(S)->getSubStmt());
  case Stmt::CXXTryStmtClass:
    return executeTry(cast<CXXTryStmt>(S));
  case Stmt::AttributedStmtClass:
    return execute(cast<AttributedStmt>(S)->getSubStmt());
  case Stmt::LabelStmtClass:
    return execute(cast<LabelStmt>(S)->getSubStmt());
  case Stmt::BreakStmtClass:
    return Flow::Break;
  case Stmt::ContinueStmtClass:
    return Flow::Continue;
  case Stmt::GotoStmtClass:
    untracked("goto");
    return Flow::Normal;
  default:
    break;
  }
  if (const auto *E = dyn_cast<Expr>(S)) {
    size_t Mark = Lives.size();
    const Expr *Before = DiscardedExpression;
    DiscardedExpression = E->IgnoreUnlessSpelledInSource();
    DroppedFrom = droppedFrom(DiscardedExpression);
    DroppedCell = {};
    evaluate(E);
    DiscardedExpression = Before;
    DroppedFrom = nullptr;
    unwind(Mark);
  }
  return Flow::Normal;
}

/// A return that leaves a mode switched which the function switches back further down: it is this
/// return that lacks something.
void Interpreter::noteOwed(const Stmt *Return) {
  if (!Current || !Current->Function || !Current->Function->hasBody())
    return;
  bool Off = Torch.S.GradModeOffForGood && !Current->OffForGood, Eval = P.InEval > Current->InEval;
  if (!Off && !Eval)
    return;
  bool On = false, Train = false;
  std::vector<const Stmt *> Work{Current->Function->getBody()};
  while (!Work.empty()) {
    const Stmt *X = Work.back();
    Work.pop_back();
    if (!X || isa<LambdaExpr>(X))
      continue;
    if (const auto *C = dyn_cast<CallExpr>(X);
        C && C->getDirectCallee() && C->getDirectCallee()->getDeclName().isIdentifier() &&
        Sources.isBeforeInTranslationUnit(Return->getEndLoc(), C->getBeginLoc())) {
      On |= C->getDirectCallee()->getName() == "set_enabled";
      Train |= C->getDirectCallee()->getName() == "train";
    }
    Work.insert(Work.end(), X->child_begin(), X->child_end());
  }
  const Site At = site(Return);
  if (Off && On) {
    Torch.S.GradModeOffAt = At;
    Torch.S.GradModeOwed = true;
  }
  if (Eval && Train)
    for (uint32_t I = 0; I < P.Objects.size(); ++I)
      if (const Object &O = P.Objects[ObjectId{I}]; O.K == Object::Module && O.EvalAt)
        P.Objects.edit(ObjectId{I}).EvalAt = At;
}

Interpreter::Flow Interpreter::executeIf(const IfStmt *S) {
  size_t Mark = Lives.size();
  if (S->getInit())
    execute(S->getInit());
  if (const VarDecl *V = S->getConditionVariable())
    declare(V);
  Flow F;
  if (std::optional<const Stmt *> Taken =
          S->isConstexpr() ? S->getNondiscardedCase(Context) : std::nullopt) {
    F = execute(*Taken);
  } else {
    Value C = rvalue(S->getCond());
    F = branch(
        C, S, [&] { return execute(S->getThen()); }, [&] { return execute(S->getElse()); });
  }
  unwind(Mark);
  return F;
}

namespace {
/// `it != v.end()`, `!queue.empty()`: a walk over a container, decided by what that holds.
bool walksContainer(const Types &Kinds, const Expr *E) {
  E = E->IgnoreUnlessSpelledInSource();
  if (const auto *R = dyn_cast<CXXRewrittenBinaryOperator>(E))
    return Kinds.kind(R->getLHS()->getType()) == ClassKind::Iterator;
  if (const auto *C = dyn_cast<CXXOperatorCallExpr>(E))
    return C->isComparisonOp() && Kinds.kind(C->getArg(0)->getType()) == ClassKind::Iterator;
  if (const auto *B = dyn_cast<BinaryOperator>(E); B && B->getOpcode() == BO_LAnd)
    return walksContainer(Kinds, B->getLHS()) && walksContainer(Kinds, B->getRHS());
  if (const auto *U = dyn_cast<UnaryOperator>(E); U && U->getOpcode() == UO_LNot)
    if (const auto *M =
            dyn_cast<CXXMemberCallExpr>(U->getSubExpr()->IgnoreUnlessSpelledInSource()))
      return M->getMethodDecl() && M->getMethodDecl()->getNameAsString() == "empty";
  return false;
}
} // namespace

/// Note [Loops]
/// A loop whose trip count is known and small runs as written. Any other loop runs its body twice:
/// once to build, once to meet what the first round left behind (a graph carried over, a buffer
/// written again). Whatever number the first round changed is unknown afterwards, its counter
/// first of all, so that `i % 5 == 4` can hold. Training loops are taken to run at least once. A
/// round that did nothing to what autograd tracks, added nothing to a container, and in which no number that the next round knows
/// otherwise decided anything, leaves nothing behind that a second one could meet. And the loops
/// inside a second round meet in their first what there is to meet, unless a number decides there what
/// was open another time, to some effect; or layers are added, of which a network built in such a round
/// has as many as one built in a first: nested loops cost as many rounds as they are deep, not two to
/// that power.
Interpreter::Flow Interpreter::executeFor(const Expr *Condition, const Stmt *Body,
                                          const Expr *Increment, bool BodyFirst) {
  constexpr int64_t SmallTrip = 4;
  CellId Counter;
  bool Exact = false;
  if (Condition && Increment) {
    const auto *B = dyn_cast<BinaryOperator>(Condition->IgnoreParenImpCasts());
    if (B && (B->isRelationalOp() || B->getOpcode() == BO_NE)) {
      const Expr *L = B->getLHS()->IgnoreParenImpCasts();
      if (isa<DeclRefExpr>(L)) {
        Counter = lvalueOf(L);
        Value Low = get(Counter), High = rvalue(B->getRHS());
        Exact = Low.K == Value::Integer && High.K == Value::Integer &&
                std::abs(High.I - Low.I) <= SmallTrip;
      }
    }
  }
  int Rounds = Exact ? static_cast<int>(SmallTrip) + 1 : 2;
  constexpr int MostWalked = 8;
  if (!Exact && Condition && !BodyFirst && walksContainer(Kinds, Condition) &&
      known(rvalue(Condition))) {
    Exact = true;
    Rounds = MostWalked + 1;
  }
  bool Ended = false;
  const unsigned long ForcedBefore = Forced;
  const auto CellsBefore = P.Cells;
  for (int Round = 0; Round < Rounds; ++Round) {
    size_t Mark = Lives.size();
    if (!Exact && Round > 0)
      forgetChangedNumbers(CellsBefore);
    if (Condition && !(BodyFirst && Round == 0)) {
      Value C = rvalue(Condition);
      std::optional<bool> B = known(C);
      if (B && !*B && !(Round > 0 && !Exact && Counter)) {
        Ended = true;
        break;
      }
    }
    const unsigned EffectsBefore = Torch.S.Effects;
    const unsigned long GrowthsBefore = Growths, LayersBefore = Layers;
    const bool Blobs = !P.Blobs.empty();
    const unsigned long HiddenBefore = Hidden;
    Flow F = executeRound(Body, !Exact && Round > 0);
    unwind(Mark);
    if (F == Flow::Break) {
      Ended = true;
      break;
    }
    if (F == Flow::Return)
      return F;
    if (!Exact && Torch.S.Effects == EffectsBefore && Growths == GrowthsBefore &&
        Forced == ForcedBefore && !Blobs &&
        P.Blobs.empty())
      break;
    if (!Exact && SecondRound && Hidden == HiddenBefore && Layers == LayersBefore)
      break;
    if (Increment)
      evaluate(Increment);
  }
  if (!Exact || !Ended)
    forgetChangedNumbers(CellsBefore);
  return Flow::Normal;
}

Interpreter::Flow Interpreter::executeRound(const Stmt *Body, bool Second) {
  struct Round {
    bool &On;
    const bool Before = On;
    ~Round() { On = Before; }
  } Guard{SecondRound};
  SecondRound |= Second;
  return explore(Body, Region::Round, [&] { return execute(Body); });
}

void Interpreter::forgetChangedNumbers(const autograd::Arena<Value, CellTag> &Before) {
  std::vector<CellId> Changed, Moved;
  decltype(P.Cells)::forEachPossiblyDifferent(P.Cells, Before, Before.size(), [&](CellId C) {
    const Value &Now = P.Cells[C], &Then = Before[C];
    if (Now.isKnownNumber() && (!Then.isKnownNumber() || Now.number() != Then.number()))
      Changed.push_back(C);
    if (isIterator(Now) && isIterator(Then) && Now.O != Then.O)
      Moved.push_back(C);
  });
  for (CellId C : Changed)
    set(C, fresh());
  for (CellId C : Moved)
    set(C, movedBy(get(C), fresh()));
}

Interpreter::Flow Interpreter::executeRangeFor(const CXXForRangeStmt *S) {
  size_t Mark = Lives.size();
  if (S->getInit())
    execute(S->getInit());
  CellId Range = lvalueOf(S->getRangeInit());
  const VarDecl *V = S->getLoopVariable();
  {
    const Expr *From = S->getRangeInit()->IgnoreParenImpCasts();
    if (From->isPRValue() || isa<MaterializeTemporaryExpr>(From))
      TemporaryRanges.insert(V);
  }
  Site At = site(S);
  std::vector<CellId> Elements;
  bool Known = false;
  if (get(Range).isObject()) {
    const Object O = P.Objects[get(Range).O];
    if (O.K == Object::Sequence) {
      Known = !O.Open || !O.Elements.empty();
      Elements = O.Elements;
    } else if (O.K == Object::Map) {
      Known = true;
      for (size_t I = 0; I < O.Elements.size(); ++I) {
        ObjectId Pair = object(Object::Tuple, "pair");
        CellId Key = cell(I < O.Keys.size() ? O.Keys[I] : Value());
        P.Objects.edit(Pair).Elements = {Key, O.Elements[I]};
        Elements.push_back(cell(Value::object(Pair)));
      }
    } else if (O.K == Object::Module) {
      Known = true;
      for (const auto &[N, C] : O.Children)
        Elements.push_back(cell(C));
    }
  }
  Flow Out = Flow::Normal;
  if (!Known) {
    // What a data loader or another unknown range yields: two elements from outside.
    for (int I = 0; I < 2; ++I)
      Elements.push_back(cell(externalValue(V->getType(), At, V->getName().str())));
  }
  constexpr size_t MostRounds = 8;
  const auto CellsBefore = P.Cells;
  bool Once = false;
  for (size_t I = 0; I < Elements.size() && I < MostRounds; ++I) {
    size_t Inner = Lives.size();
    if (!Known && I > 0) {
      if (Once)
        break;
      forgetChangedNumbers(CellsBefore);
    }
    const unsigned long HiddenBefore = Hidden;
    CellId X = V->getType()->isReferenceType() ? Elements[I] : cell(copy(get(Elements[I])));
    shape(X, V->getType(), At);
    Current->Variables[V] = X;
    if (const auto *D = dyn_cast<DecompositionDecl>(V))
      bindStructured(D, X);
    Flow F = executeRound(S->getBody(), !Known && I > 0);
    Once = SecondRound && Hidden == HiddenBefore;
    unwind(Inner);
    if (F == Flow::Break)
      break;
    if (F == Flow::Return) {
      Out = F;
      break;
    }
  }
  unwind(Mark);
  return Out;
}

Interpreter::Flow Interpreter::executeSwitch(const SwitchStmt *S) {
  size_t Mark = Lives.size();
  if (S->getInit())
    execute(S->getInit());
  if (const VarDecl *V = S->getConditionVariable())
    declare(V);
  Value C = rvalue(S->getCond());
  std::vector<const SwitchCase *> Cases;
  for (const SwitchCase *X = S->getSwitchCaseList(); X; X = X->getNextSwitchCase())
    Cases.insert(Cases.begin(), X);
  const SwitchCase *Target = nullptr, *Default = nullptr;
  for (const SwitchCase *X : Cases) {
    if (isa<DefaultStmt>(X))
      Default = X;
    else if (!Target &&
             decide(arithmetic(BO_EQ, C, rvalue(cast<CaseStmt>(X)->getLHS())), X))
      Target = X;
  }
  if (!Target)
    Target = Default;
  Flow F = Flow::Normal;
  if (const auto *Body = dyn_cast<CompoundStmt>(S->getBody()); Body && Target) {
    bool On = false;
    for (const Stmt *X : Body->body()) {
      for (const Stmt *Y = X; Y && isa<SwitchCase>(Y); Y = cast<SwitchCase>(Y)->getSubStmt())
        On |= Y == Target;
      if (On && (F = execute(X)) != Flow::Normal)
        break;
    }
  }
  unwind(Mark);
  return F == Flow::Break ? Flow::Normal : F;
}

Interpreter::Flow Interpreter::executeTry(const CXXTryStmt *S) {
  size_t Mark = Lives.size();
  Frame *F = Current;
  ++TryDepth;
  try {
    Flow R = execute(S->getTryBlock());
    --TryDepth;
    return R;
  } catch (ProgramException &E) {
    --TryDepth;
    Current = F;
    Torch.catchException();
    unwind(Mark);
    for (unsigned I = 0; I < S->getNumHandlers(); ++I) {
      const CXXCatchStmt *H = S->getHandler(I);
      if (!handles(H, E))
        continue;
      if (const VarDecl *V = H->getExceptionDecl())
        Current->Variables[V] = E.What.isObject()
                                    ? cell(E.What)
                                    : cell(externalValue(V->getType(), site(S), "exception"));
      struct Restore {
        ProgramException &Slot, Old;
        ~Restore() { Slot = Old; }
      } Restorer{Handled, Handled};
      Handled = E;
      return execute(H->getHandlerBlock());
    }
    throw;
  } catch (...) {
    --TryDepth;
    throw;
  }
  return Flow::Normal;
}

/// Whether a handler takes an exception: by its type, or a base of it.
bool Interpreter::handles(const CXXCatchStmt *H, const ProgramException &E) const {
  if (E.Kind == ProgramException::Exit)
    return false;
  if (E.Kind == ProgramException::Unknown || !H->getExceptionDecl())
    return true;
  QualType Wanted = H->getCaughtType().getNonReferenceType().getUnqualifiedType();
  const CXXRecordDecl *R = Wanted->getAsCXXRecordDecl();
  if (E.Kind == ProgramException::Library) {
    std::string Name = R ? R->getQualifiedNameAsString() : "";
    return Name == "std::exception" || llvm::StringRef(Name).starts_with("c10::");
  }
  QualType Thrown = E.Type.getNonReferenceType().getUnqualifiedType();
  if (Context.hasSameUnqualifiedType(Wanted, Thrown))
    return true;
  const CXXRecordDecl *T = Thrown->getAsCXXRecordDecl();
  return R && T && T->hasDefinition() && R->hasDefinition() &&
         T->getDefinition()->isDerivedFrom(R->getDefinition());
}

void Interpreter::declare(const VarDecl *V) {
  if (V->isStaticLocal()) {
    auto It = P.Globals.find(V);
    if (It == P.Globals.end()) {
      CellId C = V->hasInit() ? cell(rvalue(V->getInit())) : cell(defaultValue(V->getType()));
      It = P.Globals.insert({V, C}).first;
    }
    Current->Variables[V] = It->second;
    return;
  }
  CellId C;
  if (!V->hasInit())
    C = cell(defaultValue(V->getType()));
  else if (V->getType()->isReferenceType())
    C = lvalueOf(V->getInit());
  else
    C = cell(secondName(rvalue(V->getInit()), V->getInit()));
  shape(C, V->getType(), site(V->getLocation()));
  if (!V->getType()->isReferenceType() && V->hasInit())
    keep(get(C), {}, site(V->getLocation()));
  if (const auto *Copy = dyn_cast_or_null<CXXConstructExpr>(
          V->hasInit() ? V->getInit()->IgnoreImplicit() : nullptr);
      Copy && (Copy->getConstructor()->isCopyConstructor() ||
               (Kinds.kind(V->getType()) == ClassKind::Sequence && Copy->getNumArgs() >= 2 &&
                Copy->getArg(0)->getType()->isRecordType())))
    copiedFrom(get(C), site(V->getLocation(), V->getInit()));
  Current->Variables[V] = C;
  if (!V->getType()->isReferenceType())
    keep(C, site(V->getLocation(), V->getInit()), V->getName());
  bool Buffer = !V->getType()->isReferenceType() &&
                (V->getType()->isArrayType() || Kinds.kind(V->getType()) == ClassKind::Sequence);
  if (Buffer || needsDestruction(V->getType()))
    Lives.push_back({C, V->getType()});
  if (const auto *D = dyn_cast<DecompositionDecl>(V))
    bindStructured(D, C);
}

void Interpreter::bindStructured(const DecompositionDecl *D, CellId From) {
  unsigned I = 0;
  for (const BindingDecl *B : D->bindings()) {
    CellId C;
    const Value V = get(From);
    if (V.isObject()) {
      const Object &O = P.Objects[V.O];
      if ((O.K == Object::Tuple || O.K == Object::Sequence) && I < O.Elements.size())
        C = O.Elements[I];
      else if (const auto *M =
                   dyn_cast_or_null<MemberExpr>(B->getBinding() ? B->getBinding()->IgnoreImpCasts()
                                                                : nullptr))
        C = member(From, M->getMemberDecl());
    }
    if (!C)
      C = cell();
    shape(C, B->getType(), site(B->getLocation()));
    Current->Variables[B] = C;
    if (const VarDecl *H = B->getHoldingVar())
      Current->Variables[H] = C;
    ++I;
  }
}

//===--- lifetimes -------------------------------------------------------------------------===//

/// Guards are objects: whoever owns one, directly or in a member, optional or unique_ptr, ends it
/// with its own life.
bool Interpreter::needsDestruction(QualType T) {
  if (T.isNull() || T->isReferenceType() || T->isPointerType())
    return false;
  const CXXRecordDecl *R = T->getAsCXXRecordDecl();
  if (!R)
    return false;
  if (auto It = Destroyed.find(R); It != Destroyed.end())
    return It->second;
  Destroyed[R] = false; // for a class that holds others of its own
  bool Needs = needsDestruction(R);
  Destroyed[R] = Needs;
  return Needs;
}

bool Interpreter::needsDestruction(const CXXRecordDecl *R) {
  switch (Kinds.kind(R)) {
  case ClassKind::GradGuard:
  case ClassKind::InferenceGuard:
  case ClassKind::AutocastGuard:
    return true;
  case ClassKind::Optional:
  case ClassKind::Variant: // std::any has no type to ask
    return llvm::any_of(Types::typeArguments(R), [&](QualType T) { return needsDestruction(T); });
  case ClassKind::SmartPointer:
    return Types::isUniquePointer(R) && needsDestruction(Types::firstTemplateArgument(R));
  case ClassKind::Other:
    break;
  default:
    return false;
  }
  if (!isUser(R) || !R->hasDefinition() || R->isLambda())
    return false;
  R = R->getDefinition();
  if (const CXXDestructorDecl *D = R->getDestructor(); D && D->isUserProvided())
    return true;
  for (const FieldDecl *F : R->fields())
    if (needsDestruction(F->getType()))
      return true;
  for (const CXXBaseSpecifier &B : R->bases())
    if (needsDestruction(B.getType()))
      return true;
  return false;
}

void Interpreter::unwind(size_t Mark) {
  while (Lives.size() > Mark) {
    Live L = Lives.back();
    Lives.pop_back();
    destroy(get(L.Where), L.Type);
  }
}

void Interpreter::destroy(Value V, QualType T) {
  endOfBuffer(V);
  if (!V.isObject() || P.Objects[V.O].Dead || !needsDestruction(T))
    return;
  const Object O = P.Objects[V.O];
  if (O.K == Object::Guard) {
    releaseGuard(V.O);
    return;
  }
  if (O.K == Object::Box) {
    if (!O.Elements.empty())
      destroy(get(O.Elements[0]), Types::firstTemplateArgument(T->getAsCXXRecordDecl()));
    return;
  }
  const CXXRecordDecl *R = T->getAsCXXRecordDecl();
  if (Kinds.kind(R) == ClassKind::SmartPointer) {
    destroy(V, Types::firstTemplateArgument(R));
    return;
  }
  if (O.K != Object::Record && O.K != Object::Module)
    return;
  P.Objects.edit(V.O).Dead = true;
  const CXXRecordDecl *D = (O.Class ? O.Class : R)->getDefinition();
  if (!D)
    return;
  if (const CXXDestructorDecl *X = D->getDestructor(); X && isUser(X) && X->isUserProvided())
    enter(X, V, {});
  std::vector<const FieldDecl *> Fields(D->field_begin(), D->field_end());
  for (auto It = Fields.rbegin(); It != Fields.rend(); ++It)
    if (auto C = O.field((*It)->getNameAsString()))
      destroy(get(*C), (*It)->getType());
}

} // namespace torch_tidy::model
