// Which object is registered, which one does the optimizer hold, which one is used?
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"
#include "clang/AST/ExprCXX.h"

#include <algorithm>

using namespace clang;

namespace torch_tidy::model {

using autograd::Defect;
using autograd::DefectKind;
using autograd::Outcome;
using autograd::Reach;

namespace {
std::string quoted(const std::string &S) { return "'" + S + "'"; }
} // namespace

//===--- while the program runs ------------------------------------------------------------===//

/// A handle was put into a variable, member or element: remembers where, and for a leaf which one
/// was the first.
void Interpreter::keep(CellId Where, Site At, llvm::StringRef Name) {
  const Value V = get(Where);
  if (V.K != Value::Tensor && !V.isObject())
    return;
  if (V.K == Value::Tensor && V.T.T && !Torch.S.Tensors[V.T.T].Home) {
    autograd::Tensor &T = Torch.S.Tensors.edit(V.T.T);
    T.Home = Where.Value + 1;
    T.Name = Name.str();
  }
  if (V.K == Value::Tensor || P.Objects[V.O].K == Object::Module)
    P.Cells.edit(Where).Bound = At;
  if (V.isObject() && P.Objects[V.O].K == Object::Module &&
      std::find(P.ModuleNames.begin(), P.ModuleNames.end(), std::make_pair(V.O, At)) ==
          P.ModuleNames.end())
    P.ModuleNames.push_back({V.O, At});
}

/// Whether a variable is where a parameter lives, rather than a name for it in passing: the one it
/// was first kept in, a member, an element of a container, a reference to such.
bool Interpreter::holdsParameter(const Expr *Left, CellId Where, TensorId Old) const {
  if (Torch.S.Tensors[Old].Home == Where.Value + 1)
    return true;
  if (!Left)
    return false;
  Left = Left->IgnoreParenImpCasts();
  if (const auto *M = dyn_cast<MemberExpr>(Left))
    return isa<FieldDecl>(M->getMemberDecl());
  if (const auto *D = dyn_cast<DeclRefExpr>(Left))
    return D->getDecl()->getType()->isReferenceType();
  if (const auto *O = dyn_cast<CXXOperatorCallExpr>(Left))
    return O->getOperator() == OO_Subscript || O->getOperator() == OO_Star;
  return false;
}

/// The variable whose element is written (`states[k] = state`): it is older than an element that the
/// access itself made, and keeps what it is given for as long as it lives.
CellId Interpreter::containerOf(const Expr *Left, CellId Element) {
  bool Inside = false;
  for (; Left; Inside = true) {
    Left = Left->IgnoreParenImpCasts();
    if (const auto *O = dyn_cast<CXXOperatorCallExpr>(Left); O && O->getOperator() == OO_Subscript)
      Left = O->getArg(0);
    else if (const auto *M = dyn_cast<CXXMemberCallExpr>(Left);
             M && M->getMethodDecl() && M->getMethodDecl()->getDeclName().isIdentifier() &&
             M->getMethodDecl()->getName() == "at")
      Left = M->getImplicitObjectArgument();
    else
      break;
  }
  if (!Inside || !Left || Kinds.isTensor(Left->getType()))
    return Element;
  const auto *Member = dyn_cast<MemberExpr>(Left);
  if (!isa<DeclRefExpr>(Left) && !(Member && isa<CXXThisExpr>(Member->getBase())))
    return Element;
  CellId Container = lvalue(Left);
  return Container.Value < Element.Value ? Container : Element;
}

/// An assignment to a tensor variable; false where it is a defect whose repair is assumed, and the
/// variable keeps what it has.
bool Interpreter::rebind(CellId Where, const Value &New, const Expr *Left, Site At) {
  const Value Old = get(Where);
  if (Old.K != Value::Tensor || !Old.T.T || !New.T.T || Old.T.T == New.T.T ||
      !holdsParameter(Left, Where, Old.T.T))
    return true;
  if (Torch.Repaired.count(At.Number) && Torch.S.Tensors[Old.T.T].LeafRequiresGrad)
    return false;
  Torch.rebind(Old.T.T, New.T, At);
  return true;
}

/// grad(), with the reason where it is undefined because the leaf was lost. The reason goes with the
/// undefined tensor: whoever computes with it raises, and otherwise the end of the program tells.
Value Interpreter::gradientOf(Operand T, Site At) {
  Value V = Value::tensor(Torch.gradOf(T.T, At));
  if (V.T.T)
    return V;
  std::optional<Defect> D = Torch.lostGradient(T.T, At);
  if (!D)
    D = Torch.gradientOfOther(T.T, At);
  if (!D)
    return V;
  if (Torch.Repaired.count(D->Culprit.Number))
    return Value::tensor(Torch.bind(Torch.leaf(At, "grad", false)));
  P.LostGradients.push_back(std::move(*D));
  V.Symbol = static_cast<uint32_t>(P.LostGradients.size());
  return V;
}

/// Measured: an undefined tensor as an operand of an operator raises ("Expected a proper Tensor but
/// got None"); where the parameter is optional (a bias), or in a list, it does not.
void Interpreter::refuseUndefined(const Call &C) {
  auto Raise = [&](CellId X) {
    const Value V = get(X);
    if (V.K != Value::Tensor || V.T.T || !V.Symbol || V.Symbol > P.LostGradients.size())
      return;
    Defect D = P.LostGradients[V.Symbol - 1];
    D.Effect = Outcome::Throws;
    D.Chain.push_back({C.At, "computing with an undefined tensor raises here"});
    Torch.S.Defects.push_back(std::move(D));
    throw ProgramException{ProgramException::Library, {}, {}};
  };
  if (C.Self && C.Name != "defined" && C.Operator != OO_Equal && C.Name != "reset" &&
      C.Name != "is_same")
    Raise(C.Self);
  if (C.Operator != OO_Equal && C.Name != "is_same")
    for (size_t I = 0; I < C.Arguments.size() && I < C.Callee->getNumParams(); ++I)
      if (Kinds.isTensor(C.Callee->getParamDecl(I)->getType()))
        Raise(C.Arguments[I]);
}

/// OrderedDict::insert: a name is registered once.
void Interpreter::refuseName(const std::string &Name, Site First, Site At) {
  if (Torch.Repaired.count(At.Number))
    return;
  Defect D{DefectKind::RegisteredTwice, Outcome::Throws, At,
           quoted(Name) + " is registered already: registering it again raises", {}};
  D.Chain.push_back({First, "the name is registered first here"});
  D.Chain.push_back({At, "it is registered again here"});
  Torch.S.Defects.push_back(std::move(D));
  throw ProgramException{ProgramException::Library, {}, {}};
}

/// A function of the user's whose body is not seen may train, register or hold what it is given.
void Interpreter::noteHandedOver(const Call &C) {
  auto Matters = [&](const Value &V) {
    if (V.isObject())
      return P.Objects[V.O].K == Object::Module || P.Objects[V.O].K == Object::Optimizer;
    return V.K == Value::Tensor && V.T.T && Torch.S.Tensors[V.T.T].LeafRequiresGrad;
  };
  if (C.Self && Matters(get(C.Self)))
    P.HandedOver = true;
  for (CellId A : C.Arguments)
    P.HandedOver |= Matters(get(A));
}

void Interpreter::holdFrom(ObjectId O, const std::vector<CellId> &Args, Site At) {
  std::vector<TensorId> Held = P.Objects[O].Held;
  std::vector<ObjectId> Over = P.Objects[O].Over;
  bool Open = false;
  auto Look = [&](const Value &V, auto &&Self, unsigned Depth) -> void {
    if (!V.isObject() || Depth > 6)
      return;
    const Object X = P.Objects[V.O];
    if (X.K == Object::Module || X.K == Object::Optimizer || X.K == Object::Options)
      return;
    Open |= (X.K == Object::Sequence || X.K == Object::Map) && (X.Open || X.External);
    for (ObjectId M : X.ParametersOf)
      if (std::find(Over.begin(), Over.end(), M) == Over.end())
        Over.push_back(M);
    for (CellId C : X.Elements)
      Self(get(C), Self, Depth + 1);
    for (const auto &[N, C] : X.Fields)
      Self(get(C), Self, Depth + 1);
  };
  bool Given = false;
  for (CellId A : Args) {
    const Value V = get(A);
    Given |= V.isObject() && P.Objects[V.O].K != Object::Options;
    Look(V, Look, 0);
    for (const Operand &X : tensorsIn(V))
      if (std::find(Held.begin(), Held.end(), X.T) == Held.end())
        Held.push_back(X.T);
  }
  // What it holds besides is not known.
  if (Open || !Given)
    P.HandedOver = true;
  for (TensorId T : Held) {
    Torch.holdParameter(T, At);
    checkThrown();
  }
  Object &X = P.Objects.edit(O);
  X.Held = std::move(Held);
  X.Over = std::move(Over);
  if (!X.Built)
    X.Built = At;
  ++Torch.S.Effects;
}

//===--- at the end ------------------------------------------------------------------------===//

namespace {

/// A member given from outside: `explicit Loss(Net net) : net(net)`.
bool isHandedIn(const Stmt *S) {
  const auto *E = dyn_cast_or_null<Expr>(S);
  if (const auto *O = dyn_cast_or_null<CXXOperatorCallExpr>(E); O && O->getNumArgs() == 2)
    E = O->getArg(1);
  while (E) {
    E = E->IgnoreUnlessSpelledInSource();
    if (const auto *C = dyn_cast<CXXConstructExpr>(E); C && C->getNumArgs() == 1)
      E = C->getArg(0);
    else if (const auto *L = dyn_cast<InitListExpr>(E); L && L->getNumInits() == 1)
      E = L->getInit(0);
    else if (const auto *M = dyn_cast<CallExpr>(E);
             M && M->getNumArgs() == 1 && M->getDirectCallee() &&
             M->getDirectCallee()->isInStdNamespace())
      E = M->getArg(0);
    else
      break;
  }
  const auto *D = dyn_cast_or_null<DeclRefExpr>(E);
  return D && isa<ParmVarDecl>(D->getDecl());
}

} // namespace

/// Note [Evidence of identity]
/// That a tensor gets gradients and no optimizer holds it proves nothing: frozen backbones, critics
/// of a generator's step, inputs that are optimised look the same. It is a defect where the program
/// itself says that the tensor was meant to be stepped:
///  - a module whose registered parameters are stepped uses a member that it never registered;
///  - a module was given more parameters after an optimizer was built over its parameters();
///  - parameters are let require grad after a step, and get gradients, in a module of which an
///    optimizer holds others;
///  - an optimizer steps tensors that no loss ever depended on, while those they were copied from,
///    or those of another object of the same class, get the gradients;
///  - a term of a loss leads to parameters that no optimizer holds and to no others, or is the only
///    one to lead to them, while another term does the same for a part of the same module that is
///    stepped;
///  - two optimizers hold the very same parameters, and one of them steps right after a backward()
///    that trains all of a module that none holds;
///  - a single number that requires grad and outlives the steps (a coefficient, a temperature) gets
///    gradients, which nobody reads, and is no input that something is differentiated by;
///  - a module whose gradients the program zeroes or clips, or which it sets to train(), is held by
///    no optimizer, while another one is stepped.
/// The assignments that part a variable from its parameter are judged in autograd/Identity.cpp.
void Interpreter::judgeIdentity() {
  const autograd::State &S = Torch.S;
  if (!S.OpaqueBackward)
    for (const Defect &D : P.LostGradients)
      if (!D.Untrained || (!Torch.isTrained(D.Untrained) && !S.Tensors[D.Untrained].GradTensor))
        Torch.S.Defects.push_back(D);
  if (S.OpaqueBackward || S.Backwards == 0 || P.HandedOver)
    return;
  std::vector<ObjectId> Modules, Stepped;
  for (uint32_t I = 0; I < P.Objects.size(); ++I) {
    const Object &O = P.Objects[ObjectId{I}];
    if (O.K == Object::Module)
      Modules.push_back({I});
    if (O.K == Object::Optimizer && O.Stepped) {
      if (!O.Built)
        return; // it came from outside
      Stepped.push_back({I});
    }
  }
  if (Stepped.empty())
    return;

  auto Registered = [&](ObjectId M) {
    std::vector<std::pair<std::string, CellId>> All;
    parametersOf(M, All, "", false);
    std::set<TensorId> Result;
    for (const auto &[N, C] : All)
      if (Operand X = tensorOperand(C); X.T)
        Result.insert(X.T);
    return Result;
  };
  auto Live = [&](TensorId T) {
    return S.Tensors[T].LeafRequiresGrad && S.Tensors[T].EverReached == Reach::Live;
  };
  auto Unheld = [&](TensorId T) { return Live(T) && !S.Tensors[T].Untracked && !Torch.isTrained(T); };
  auto Report = [&](DefectKind Kind, Site At, std::string Message,
                    std::vector<autograd::ChainEvent> Chain, std::string Operation = {}) {
    if (!At || Torch.Repaired.count(At.Number))
      return;
    Defect D{Kind, Outcome::Stale, At, std::move(Message), {}};
    for (autograd::ChainEvent &E : Chain)
      if (E.At)
        D.Chain.push_back(std::move(E));
    D.Operation = std::move(Operation);
    Torch.S.Defects.push_back(std::move(D));
  };
  // Modules in the trees that an optimizer was built over.
  std::map<ObjectId, ObjectId> OptimizerOf;
  for (ObjectId O : Stepped) {
    std::vector<ObjectId> Work = P.Objects[O].Over;
    for (size_t I = 0; I < Work.size() && I < 4096; ++I) {
      if (!OptimizerOf.insert({Work[I], O}).second)
        continue;
      for (const auto &[N, Child] : P.Objects[Work[I]].Children)
        if (Child.isObject() && P.Objects[Child.O].K == Object::Module)
          Work.push_back(Child.O);
    }
  }
  auto HolderOf = [&](TensorId T) -> std::optional<ObjectId> {
    for (ObjectId O : Stepped)
      if (const auto &H = P.Objects[O].Held; std::find(H.begin(), H.end(), T) != H.end())
        return O;
    return std::nullopt;
  };

  //===--- members that are not registered -------------------------------------------------===//
  std::set<TensorId> Told;
  for (const autograd::Rebinding &R : S.Rebindings)
    if (Torch.isTrained(R.Old))
      Told.insert(R.New); // told as such
  for (ObjectId M : Modules) {
    std::set<TensorId> Own = Registered(M);
    std::optional<ObjectId> By;
    if (auto It = OptimizerOf.find(M); It != OptimizerOf.end()) {
      By = It->second;
    } else {
      bool All = true;
      for (TensorId T : Own)
        if (S.Tensors[T].LeafRequiresGrad) {
          std::optional<ObjectId> H = HolderOf(T);
          All &= H.has_value();
          By = H ? H : By;
        }
      if (!All || !By)
        continue;
    }
    const Object Module = P.Objects[M];
    auto Judge = [&](TensorId T, const std::string &Member, Site Bound, const Object *Part) {
      if (!Unheld(T) || Own.count(T) || Told.count(T) || !Bound || isHandedIn(statement(Bound)))
        return;
      if (Part && (Part->Loaded || Part->Training == 0))
        return; // read from a file, or set to eval() itself: used as it is
      if (!Part && S.Tensors[T].GradTensor)
        return; // the program reads this gradient itself
      Told.insert(T);
      Report(DefectKind::Unregistered, Bound,
             "member " + quoted(Member) + " is used and gets gradients, but is not registered: no " +
                 "optimizer of the module's parameters() steps it",
             {{Bound, "the member gets its value here, without being registered"},
              {P.Objects[*By].Built, "the optimizer is built over what is registered here"},
              {S.Tensors[T].ReachedBy, "backward() gives it a gradient here"},
              {P.Objects[*By].Stepped, "step() passes it over here"}},
             registration(M, Member, Part));
    };
    auto Look = [&](const Value &V, const std::string &Member, Site Bound, unsigned Depth,
                    auto &&Self) -> void {
      if (V.K == Value::Tensor && V.T.T) {
        Judge(V.T.T, Member, V.Bound ? V.Bound : Bound, nullptr);
        return;
      }
      if (!V.isObject() || Depth > 4)
        return;
      const Object X = P.Objects[V.O];
      if (X.K == Object::Module) {
        if (V.O != M)
          for (TensorId T : Registered(V.O))
            Judge(T, Member, V.Bound ? V.Bound : Bound, &X);
        return;
      }
      if (X.K != Object::Sequence && X.K != Object::Map && X.K != Object::Record &&
          X.K != Object::Tuple)
        return;
      for (CellId C : X.Elements)
        Self(get(C), Member, V.Bound ? V.Bound : Bound, Depth + 1, Self);
      for (const auto &[N, C] : X.Fields)
        Self(get(C), Member, V.Bound ? V.Bound : Bound, Depth + 1, Self);
    };
    for (const auto &[N, C] : Module.Members)
      Look(get(C), N, {}, 0, Look);
    std::vector<const CXXRecordDecl *> Classes;
    if (Module.Class && isUser(Module.Class) && Module.Class->hasDefinition())
      Classes.push_back(Module.Class->getDefinition());
    for (size_t I = 0; I < Classes.size(); ++I) {
      for (const CXXBaseSpecifier &B : Classes[I]->bases())
        if (const CXXRecordDecl *R = B.getType()->getAsCXXRecordDecl();
            R && isUser(R) && R->hasDefinition())
          Classes.push_back(R->getDefinition());
      for (const FieldDecl *F : Classes[I]->fields()) {
        QualType T = F->getType(); // a pointer or reference belongs to somebody else
        const CXXRecordDecl *R = T->getAsCXXRecordDecl();
        if (T->isPointerType() || T->isReferenceType() || !R || R->getName() == "weak_ptr")
          continue;
        if (auto C = Module.field(F->getNameAsString()))
          Look(get(*C), F->getNameAsString(), {}, 0, Look);
      }
    }
  }

  //===--- parameters that came after the optimizer ----------------------------------------===//
  for (ObjectId Id : Stepped) {
    const Object O = P.Objects[Id];
    for (ObjectId M : O.Over)
      for (TensorId T : Registered(M))
        if (Unheld(T) && Told.insert(T).second)
          Report(DefectKind::OtherOptimized, O.Built,
                 "the optimizer is built before " + quoted(Torch.nameOf(T)) +
                     " is registered: it never steps it",
                 {{O.Built, "the optimizer takes the parameters of the module here"},
                  {S.Tensors[T].Made, quoted(Torch.nameOf(T)) + " is made here"},
                  {S.Tensors[T].ReachedBy, "backward() gives it a gradient here"},
                  {O.Stepped, "step() passes it over here"}});
  }

  //===--- parameters that were frozen then ------------------------------------------------===//
  for (ObjectId M : Modules) {
    std::set<TensorId> Own = Registered(M);
    std::optional<ObjectId> By;
    for (TensorId T : Own)
      By = By ? By : HolderOf(T);
    for (TensorId T : Own)
      if (By && S.Tensors[T].UnfrozenAt && Unheld(T) && Told.insert(T).second)
        Report(DefectKind::OtherOptimized, P.Objects[*By].Built,
               "the optimizer is built without " + quoted(Torch.nameOf(T)) +
                   ", which is let require grad later: it never steps it",
               {{P.Objects[*By].Built, "the optimizer is built here"},
                {S.Tensors[T].UnfrozenAt, quoted(Torch.nameOf(T)) + " is let require grad here"},
                {S.Tensors[T].ReachedBy, "backward() gives it a gradient here"},
                {P.Objects[*By].Stepped, "step() passes it over here"}});
  }

  //===--- optimizers over tensors that no loss depends on ---------------------------------===//
  auto Dead = [&](TensorId T) {
    // Where the program handles the gradient itself it may bring one from elsewhere: replicas whose
    // gradients are summed, fp32 masters of half-precision weights.
    return S.Tensors[T].EverReached == Reach::Never && !S.Tensors[T].LostAt &&
           !S.Tensors[T].GradTensor;
  };
  for (ObjectId Id : Stepped) {
    const Object O = P.Objects[Id];
    bool Copies = false;
    for (TensorId H : O.Held) {
      if (!Dead(H) || !S.Tensors[H].Depends)
        continue;
      for (const auto &[Origin, E] : *S.Tensors[H].Depends)
        if (Origin != H && E.Status == autograd::Dependence::Cut && Unheld(Origin)) {
          Copies = true;
          Report(DefectKind::OtherOptimized, E.At,
                 "the optimizer steps a copy of parameter " + quoted(Torch.nameOf(Origin)) +
                     "; the loss uses the parameter itself",
                 {{S.Tensors[Origin].Made, "the parameter is made here"},
                  {E.At, "it is copied here"},
                  {O.Built, "the optimizer is built over the copy here"},
                  {S.Tensors[Origin].ReachedBy, "backward() gives the gradient to the parameter here"},
                  {O.Stepped, "step() steps the copy here"}});
          break;
        }
    }
    if (Copies || O.Held.empty())
      continue;
    bool AllDead = std::all_of(O.Held.begin(), O.Held.end(), Dead);
    for (ObjectId M : Modules) {
      std::set<TensorId> Own = Registered(M);
      if (Own.empty() || !std::all_of(Own.begin(), Own.end(), [&](TensorId T) {
            return Unheld(T) || !S.Tensors[T].LeafRequiresGrad;
          }) || std::none_of(Own.begin(), Own.end(), Unheld) ||
          std::any_of(Own.begin(), Own.end(), [&](TensorId T) { return Told.count(T) != 0; }))
        continue;
      const Object Used = P.Objects[M];
      bool Twin = AllDead;
      for (ObjectId Other : O.Over) {
        const Object &X = P.Objects[Other];
        std::set<TensorId> Theirs = Registered(Other);
        Twin |= Other != M && X.Class && isUser(X.Class) && X.Class == Used.Class &&
                !Theirs.empty() && std::all_of(Theirs.begin(), Theirs.end(), Dead);
      }
      if (!Twin || Used.Loaded || Used.Training == 0)
        continue;
      TensorId T = *std::find_if(Own.begin(), Own.end(), Unheld);
      Report(DefectKind::OtherOptimized, O.Built,
             "the optimizer is built over other parameters than those that are used: no loss "
             "depends on what it steps",
             {{O.Built, "the optimizer is built here"},
              {S.Tensors[T].Made, quoted(Torch.nameOf(T)) + ", which is used, is made here"},
              {S.Tensors[T].ReachedBy, "backward() gives it a gradient here"},
              {O.Stepped, "step() steps others here"}});
      break;
    }
  }

  judgeTerms(Modules, Stepped);
  judgeTwins(Modules, Stepped);

  //===--- coefficients ---------------------------------------------------------------------===//
  for (uint32_t I = 0; I < S.Tensors.size(); ++I) {
    const autograd::Tensor &X = S.Tensors[{I}];
    if (!X.Scalar || X.IsParameter || !X.Home || X.GradTensor || !Unheld({I}) || Told.count({I}) ||
        !Torch.isReachedAnew({I}) || Torch.isDifferentiated({I}))
      continue;
    if (std::optional<ObjectId> Id = blamed(Stepped)) {
      const Object O = P.Objects[*Id];
      Report(DefectKind::OtherOptimized, O.Built,
             "no optimizer holds " + quoted(Torch.nameOf({I})) +
                 ", a number that requires grad and gets a gradient again and again",
             {{X.Made, "it is made here"},
              {O.Built, "the optimizer is built without it here"},
              {X.ReachedBy, "backward() gives it a gradient here"},
              {O.Stepped, "step() passes it over here"}});
      Torch.S.Defects.back().InDoubt = true;
    }
  }

  //===--- modules that the program trains, without an optimizer ---------------------------===//
  for (ObjectId M : Modules) {
    const Object Module = P.Objects[M];
    std::set<TensorId> Own = Registered(M);
    if (!Module.Handled || Module.Loaded || Module.Training == 0 || Own.empty() ||
        OptimizerOf.count(M))
      continue;
    bool None = std::all_of(Own.begin(), Own.end(), [&](TensorId T) {
      return !S.Tensors[T].LeafRequiresGrad || Unheld(T);
    });
    auto First = std::find_if(Own.begin(), Own.end(), Unheld);
    if (!None || First == Own.end() || Told.count(*First))
      continue;
    if (std::optional<ObjectId> Id = blamed(Stepped)) {
      const Object O = P.Objects[*Id];
      Report(DefectKind::OtherOptimized, O.Built,
             "no optimizer holds " + quoted(Torch.nameOf(*First)) +
                 ", which is trained together with what this one steps",
             {{S.Tensors[*First].Made, "it is made here"},
              {O.Built, "the optimizer is built without it here"},
              {S.Tensors[*First].ReachedBy, "backward() gives it a gradient here"},
              {O.Stepped, "step() passes it over here"}});
    }
  }
}

/// The call that registers a member under its own name: none where that name is taken by a tensor.
std::string Interpreter::registration(ObjectId M, const std::string &Member,
                                      const Object *Part) const {
  const Object &O = P.Objects[M];
  auto Has = [&](const auto &Names) {
    return std::any_of(Names.begin(), Names.end(), [&](const auto &X) { return X.first == Member; });
  };
  if (!O.Class || !isUser(O.Class) || Has(O.Parameters) || Has(O.Buffers))
    return {};
  if (!Part)
    return "register_parameter";
  return Has(O.Children) ? "replace_module" : "register_module";
}

} // namespace torch_tidy::model
