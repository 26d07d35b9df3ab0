// torch::nn: what modules hold, and what their forward does.
#include "interpreter/Interpreter.h"

#include "clang/AST/Expr.h"

using namespace clang;

namespace torch_tidy::model {

using autograd::WriteKind;
using facts::ModuleFact;

namespace {

std::string withoutImpl(std::string Name) {
  if (llvm::StringRef(Name).ends_with("Impl"))
    Name.resize(Name.size() - 4);
  return Name;
}

/// "Linear(4, 2)" hides LinearOptions(4, 2): the name of the option that argument I sets.
std::string optionName(const CXXRecordDecl *Module, unsigned I) {
  for (const CXXConstructorDecl *C : Module->ctors()) {
    if (C->isCopyOrMoveConstructor() || C->getNumParams() == 0)
      continue;
    const CXXRecordDecl *Options =
        C->getParamDecl(0)->getType().getNonReferenceType()->getAsCXXRecordDecl();
    if (!Options || !Options->getName().ends_with("Options") || !Options->hasDefinition())
      continue;
    for (const CXXConstructorDecl *O : Options->getDefinition()->ctors())
      if (!O->isCopyOrMoveConstructor() && O->getNumParams() > I)
        return O->getParamDecl(I)->getNameAsString();
  }
  return {};
}

std::string literalText(const Expr *E) {
  if (!E)
    return {};
  E = E->IgnoreUnlessSpelledInSource();
  if (const auto *C = dyn_cast<CXXConstructExpr>(E); C && C->getNumArgs() >= 1)
    return literalText(C->getArg(0));
  if (const auto *S = dyn_cast<StringLiteral>(E))
    return S->getString().str();
  return {};
}

} // namespace

void Interpreter::addChild(ObjectId M, const std::string &Name, const Value &Child) {
  ++Layers;
  if (Child.isObject() && P.Objects[Child.O].K == Object::Module)
    P.Objects.edit(M).Children.push_back({Name, Child});
  else if (Child.K == Value::Function ||
           (Child.isObject() && P.Objects[Child.O].K == Object::Closure))
    P.Objects.edit(M).Children.push_back({Name, Child});
  else if (Child.isObject()) // NamedAnyModule {"name", module}, nested lists, pairs
    for (CellId E : std::vector<CellId>(P.Objects[Child.O].Elements))
      addChild(M, Name, get(E));
  if (Child.isObject() && P.Objects[Child.O].K == Object::Record)
    for (const auto &[N, C] : std::vector<std::pair<std::string, CellId>>(P.Objects[Child.O].Fields))
      if (get(C).isObject() && P.Objects[get(C).O].K == Object::Module)
        addChild(M, N, get(C));
}

Value Interpreter::makeLibraryModule(const CXXRecordDecl *R, const std::vector<CellId> &Args,
                                     Site At) {
  std::string Name = withoutImpl(R->getNameAsString());
  ObjectId O = object(Object::Module, Name, R);
  ++Torch.S.Effects;
  if (Name == "Sequential" || Name == "ModuleList" || Name == "ModuleDict") {
    for (size_t I = 0; I < Args.size(); ++I)
      addChild(O, std::to_string(I), get(Args[I]));
    return Value::object(O);
  }
  if (Name == "ParameterList" || Name == "ParameterDict") {
    for (CellId A : Args)
      addTensor(O, "", get(A));
    return Value::object(O);
  }
  if (Name == "Functional") {
    if (!Args.empty())
      P.Objects.edit(O).Fields.push_back({"function", Args[0]});
    return Value::object(O);
  }
  for (size_t I = 0; I < Args.size(); ++I) {
    const Value V = get(Args[I]);
    if (V.isObject() && P.Objects[V.O].K == Object::Options) {
      for (const auto &[N, C] : P.Objects[V.O].Fields)
        P.Objects.edit(O).Fields.push_back({N, C});
    } else if (std::string N = optionName(R->getDefinition() ? R->getDefinition() : R,
                                          static_cast<unsigned>(I));
               !N.empty()) {
      P.Objects.edit(O).Fields.push_back({N, Args[I]});
    }
  }
  const ModuleFact *Fact = Facts.module(Name);
  if (!Fact) {
    if (Name != "Module")
      untracked("module without facts: " + Name);
    return Value::object(O);
  }
  auto Present = [&](const ModuleFact::Member &M) {
    if (M.OptionName.empty())
      return true;
    if (auto C = P.Objects[O].field(std::string(M.OptionName)))
      return known(get(*C)).value_or(M.Default);
    return M.Default;
  };
  for (const ModuleFact::Member &M : Fact->Parameters)
    if (Present(M)) {
      TensorId T = Torch.leaf(At, Name + "." + std::string(M.Name), true);
      Torch.S.Tensors.edit(T).IsParameter = true;
      CellId C = cell(Value::tensor(Torch.bind(T)));
      CellId Member = cell(get(C));
      keep(Member, At);
      P.Objects.edit(O).Parameters.push_back({std::string(M.Name), C});
      P.Objects.edit(O).Members.push_back({std::string(M.Name), Member});
    }
  for (const ModuleFact::Member &M : Fact->Buffers)
    if (Present(M)) {
      CellId C = cell(Value::tensor(Torch.bind(Torch.leaf(At, Name + "." + std::string(M.Name), false))));
      CellId Member = cell(get(C));
      P.Objects.edit(O).Buffers.push_back({std::string(M.Name), C});
      P.Objects.edit(O).Members.push_back({std::string(M.Name), Member});
    }
  return Value::object(O);
}

void Interpreter::parametersOf(ObjectId M, std::vector<std::pair<std::string, CellId>> &Out,
                               const std::string &Prefix, bool Buffers, unsigned Depth) const {
  if (Depth > 16)
    return;
  const Object &O = P.Objects[M];
  for (const auto &[N, C] : Buffers ? O.Buffers : O.Parameters)
    Out.push_back({Prefix + N, C});
  for (const auto &[N, C] : O.Children)
    if (C.isObject() && P.Objects[C.O].K == Object::Module)
      parametersOf(C.O, Out, Prefix + N + ".", Buffers, Depth + 1);
}

void Interpreter::setTraining(ObjectId M, int On, Site At, unsigned Depth) {
  if (Depth > 16)
    return;
  if (P.Objects[M].Training != On) {
    P.InEval += (On == 0) - (P.Objects[M].Training == 0);
    P.Objects.edit(M).Training = On;
    ++Torch.S.Effects;
  }
  P.Objects.edit(M).EvalAt = On == 0 ? At : Site();
  P.Objects.edit(M).Evaluated = false;
  for (const auto &[N, C] : std::vector<std::pair<std::string, Value>>(P.Objects[M].Children))
    if (C.isObject() && P.Objects[C.O].K == Object::Module)
      setTraining(C.O, On, At, Depth + 1);
}

/// Note [Left in evaluation mode]
/// Who trains in evaluation mode may mean it: frozen statistics, fine-tuning. But where a module was
/// trained in training mode, was then set to eval(), used without gradients, and is trained again
/// without a train() in between, the evaluation was meant to end. It is one only for modules that
/// compute something else in that mode (dropout, batch normalisation), and if the value gets to a
/// loss.
void Interpreter::noteMode(ObjectId M, const ModuleFact &Fact, std::vector<Operand> &Results) {
  if (!Fact.IdentityInEval && !Fact.WritesBuffersInTraining)
    return;
  const Object O = P.Objects[M];
  const autograd::State &S = Torch.S;
  if (O.Training == 1) {
    if (S.GradMode)
      P.Objects.edit(M).UsedInTraining = S.Backwards + 1;
    return;
  }
  if (!O.EvalAt)
    return;
  if (!S.GradMode) {
    P.Objects.edit(M).Evaluated = true;
    return;
  }
  if (!O.Evaluated || !O.UsedInTraining || S.Backwards < O.UsedInTraining ||
      Torch.Repaired.count(O.EvalAt.Number))
    return;
  autograd::Suspicion New;
  New.What.Kind = autograd::DefectKind::LeftInEval;
  New.What.Effect = autograd::Outcome::Wrong;
  New.What.Culprit = O.EvalAt;
  New.What.Sometimes = O.Training < 0; // some of the ways that were joined left it so
  New.What.Message = "the module is left in evaluation mode and trained in it: '" + O.Name +
                     "' does nothing, or uses old statistics, in the rounds that follow";
  New.What.Chain.push_back({New.What.Culprit, "evaluation mode is switched on here, and not off again"});
  for (const Operand &X : Results)
    if (X.T)
      Torch.suspect(X.T, New);
}

/// ParameterList and ParameterDict: register_parameter(name, x, x.requires_grad()), so what does not
/// require grad stays as it is.
void Interpreter::addTensor(ObjectId M, const std::string &Name, const Value &V) {
  if (V.K == Value::Tensor && V.T.T) {
    CellId X = cell(V);
    Torch.S.Tensors.edit(V.T.T).IsParameter = true;
    std::string As = Name.empty() ? std::to_string(P.Objects[M].Parameters.size()) : Name;
    P.Objects.edit(M).Parameters.push_back({As, X});
    ++Torch.S.Effects;
  } else if (V.isObject()) {
    for (CellId E : std::vector<CellId>(P.Objects[V.O].Elements))
      addTensor(M, "", get(E));
  }
}

/// Embedding::from_pretrained(weights, options): frozen unless the options say otherwise.
Value Interpreter::pretrained(Call &C) {
  const CXXRecordDecl *R = C.Method->getParent();
  const CXXRecordDecl *Impl = Kinds.holderImpl(R);
  Value V = makeLibraryModule(Impl ? Impl : R, {}, C.At);
  bool Frozen = true;
  if (C.Arguments.size() > 1)
    if (const Value &O = get(C.Arguments[1]); O.isObject())
      if (auto F = P.Objects[O.O].field("freeze"))
        Frozen = known(get(*F)).value_or(true);
  for (const auto &[N, X] : std::vector<std::pair<std::string, CellId>>(P.Objects[V.O].Parameters))
    if (Operand T = tensorOperand(X); T.T)
      Torch.setRequiresGrad(T, !Frozen, C.At);
  return V;
}

/// A module object copied: cells of its own, with the same handles in them.
Value Interpreter::copyModule(ObjectId M) {
  Object O = P.Objects[M];
  for (auto *Names : {&O.Parameters, &O.Buffers, &O.Members, &O.Fields})
    for (auto &[N, C] : *Names) {
      const Value V = get(C);
      bool Container = V.isObject() && (P.Objects[V.O].K == Object::Sequence ||
                                        P.Objects[V.O].K == Object::Map ||
                                        P.Objects[V.O].K == Object::Record);
      C = cell(Container ? copy(V) : V);
    }
  ++Torch.S.Effects;
  return Value::object(P.Objects.add(std::move(O)));
}

/// Module::clone(): the same structure with parameters of its own. What the members held of the
/// old structure, they hold of the new one, as reset() would have them.
Value Interpreter::cloneModule(ObjectId Root, Site At) {
  std::map<TensorId, TensorId> Tensors;
  std::map<ObjectId, ObjectId> Objects;
  auto Renamed = [&](const Value &V, auto &&Self, unsigned Depth) -> Value {
    Value New = V;
    if (V.K == Value::Tensor) {
      if (auto It = Tensors.find(V.T.T); It != Tensors.end())
        New.T = Torch.bind(It->second);
      return New;
    }
    if (!V.isObject() || Depth > 16)
      return New;
    if (auto It = Objects.find(V.O); It != Objects.end()) {
      New.O = It->second;
      return New;
    }
    Object O = P.Objects[V.O];
    bool Module = O.K == Object::Module;
    if (!Module && O.K != Object::Sequence && O.K != Object::Map && O.K != Object::Record &&
        O.K != Object::Tuple)
      return New;
    New.O = P.Objects.add(O);
    Objects[V.O] = New.O;
    for (auto *Names : {&O.Parameters, &O.Buffers})
      for (auto &[N, C] : *Names) {
        Value X = get(C);
        if (X.K == Value::Tensor && X.T.T && !Tensors.count(X.T.T)) {
          const autograd::Tensor Old = Torch.S.Tensors[X.T.T];
          TensorId T = Torch.leaf(At, Old.MadeBy, Torch.requiresGrad(X.T.T));
          Torch.S.Tensors.edit(T).IsParameter = Old.IsParameter;
          Tensors[X.T.T] = T;
        }
        C = cell(Self(X, Self, Depth + 1));
      }
    for (auto &[N, X] : O.Children)
      X = Self(X, Self, Depth + 1);
    for (auto *Names : {&O.Members, &O.Fields})
      for (auto &[N, C] : *Names)
        C = cell(Self(get(C), Self, Depth + 1));
    for (CellId &C : O.Elements)
      C = cell(Self(get(C), Self, Depth + 1));
    P.Objects.edit(New.O) = std::move(O);
    return New;
  };
  ++Torch.S.Effects;
  return Renamed(Value::object(Root), Renamed, 0);
}

CellId Interpreter::moduleCall(Call &C, ObjectId M) {
  llvm::StringRef N = C.Name;
  auto Arg = [&](size_t I) { return I < C.Arguments.size() ? get(C.Arguments[I]) : Value(); };
  auto Text = [&](size_t I) -> std::string {
    if (std::string Literal = I < C.Written.size() ? literalText(C.Written[I]) : "";
        !Literal.empty())
      return Literal;
    return textOf(Arg(I)).value_or("");
  };
  if (C.Operator == OO_Call || N == "forward")
    return forward(M, C.Arguments, C.At, C.Discarded, C.ResultType);
  if (C.Operator == OO_Arrow || C.Operator == OO_Star || N == "ptr" || N == "get" || N == "as" ||
      N == "shared_from_this")
    return cell(Value::object(M));
  if (N == "forward_with_packed_input") {
    // Tensors in, tensors out: the first result is packed again.
    CellId R = forwardLibrary(M, C.Arguments, C.At, C.Discarded);
    if (get(R).isObject() && !P.Objects[get(R).O].Elements.empty()) {
      ObjectId Packed = object(Object::Record, "PackedSequence");
      P.Objects.edit(Packed).Fields = {{"data", P.Objects[get(R).O].Elements[0]}};
      CellId X = cell(Value::object(Packed));
      P.Objects.edit(get(R).O).Elements[0] = X;
    }
    return R;
  }
  if (N == "register_module" || N == "replace_module") {
    Value V = C.Arguments.empty() ? Value() : get(C.Arguments.back());
    const std::string Name = Text(0);
    bool There = false;
    if (!Name.empty())
      for (size_t I = 0; I < P.Objects[M].Children.size(); ++I)
        if (P.Objects[M].Children[I].first == Name) {
          There = N == "replace_module";
          if (There)
            P.Objects.edit(M).Children[I].second = V;
          else
            refuseName(Name, P.Objects[M].Children[I].second.Bound, C.At);
        }
    V.Bound = C.At;
    if (!There)
      addChild(M, Name, V);
    ++Torch.S.Effects;
    return cell(V);
  }
  if (N == "unregister_module") {
    auto &Children = P.Objects.edit(M).Children;
    std::erase_if(Children, [&](const auto &X) { return X.first == Text(0); });
    ++Torch.S.Effects;
    return cell();
  }
  if (N == "register_parameter") {
    Value V = Arg(1);
    if (V.K == Value::Tensor && V.T.T) {
      bool On = C.Arguments.size() < 3 || known(Arg(2)).value_or(true);
      Torch.setRequiresGrad(V.T, On, C.At);
      autograd::Tensor &T = Torch.S.Tensors.edit(V.T.T);
      T.IsParameter = true;
      T.MadeBy = Text(0).empty() ? "parameter" : Text(0);
    }
    V.Bound = C.At;
    if (const std::string Name = Text(0); !Name.empty())
      for (const auto &[Other, There] : P.Objects[M].Parameters)
        if (Other == Name)
          refuseName(Name, get(There).Bound, C.At);
    CellId X = cell(V);
    P.Objects.edit(M).Parameters.push_back({Text(0), X});
    ++Torch.S.Effects;
    return X;
  }
  if (N == "register_buffer") {
    CellId X = cell(Arg(1));
    P.Objects.edit(M).Buffers.push_back({Text(0), X});
    ++Torch.S.Effects;
    return X;
  }
  if (N == "parameters" || N == "buffers" || N == "named_parameters" || N == "named_buffers") {
    std::vector<std::pair<std::string, CellId>> All;
    parametersOf(M, All, "", N.contains("buffers"));
    bool Named = N.starts_with("named");
    ObjectId S = object(Named ? Object::Map : Object::Sequence);
    std::vector<CellId> Elements;
    std::vector<Value> Keys;
    for (const auto &[Name, X] : All) {
      if (get(X).K != Value::Tensor || !get(X).T.T)
        continue;
      Value Handle = get(X); // a fresh one
      Handle.T = Torch.bind(Handle.T.T);
      Handle.Bound = C.At;
      Elements.push_back(cell(Handle));
      Keys.push_back(constant("str:" + Name));
    }
    Object &O = P.Objects.edit(S);
    O.Elements = std::move(Elements);
    if (Named)
      O.Keys = std::move(Keys);
    if (N == "parameters" && (C.Arguments.empty() || known(Arg(0)).value_or(false)))
      O.ParametersOf = {M};
    return cell(Value::object(S));
  }
  if (N == "children" || N == "modules" || N == "named_children" || N == "named_modules") {
    ObjectId S = object(N.starts_with("named") ? Object::Map : Object::Sequence);
    std::vector<CellId> Elements;
    std::vector<Value> Keys;
    std::vector<std::pair<std::string, Value>> Work(P.Objects[M].Children);
    if (N.ends_with("modules"))
      Work.insert(Work.begin(), {"", Value::object(M)});
    for (size_t I = 0; I < Work.size() && I < 256; ++I) {
      Elements.push_back(cell(Work[I].second));
      Keys.push_back(constant("str:" + Work[I].first));
      if (N.ends_with("modules") && I > 0 && Work[I].second.isObject())
        for (const auto &X : std::vector<std::pair<std::string, Value>>(P.Objects[Work[I].second.O].Children))
          Work.push_back(X);
    }
    Object &O = P.Objects.edit(S);
    O.Elements = std::move(Elements);
    if (O.K == Object::Map)
      O.Keys = std::move(Keys);
    return cell(Value::object(S));
  }
  if (N == "train" || N == "eval") {
    int On = N == "eval" ? 0 : 1;
    if (N == "train" && !C.Arguments.empty())
      On = known(Arg(0)) ? static_cast<int>(*known(Arg(0))) : -1;
    if (On == 1)
      P.Objects.edit(M).Handled = true;
    setTraining(M, On, C.At);
    return cell();
  }
  if (N == "is_training") {
    int T = P.Objects[M].Training;
    return cell(T >= 0 ? Value::integer(T) : symbol("training:" + std::to_string(M.Value)));
  }
  if (N == "zero_grad") {
    std::vector<std::pair<std::string, CellId>> All;
    parametersOf(M, All, "", false);
    std::vector<TensorId> Tensors;
    for (const auto &[Name, X] : All)
      if (Operand T = tensorOperand(X); T.T)
        Tensors.push_back(T.T);
    zeroGrad(Tensors, C.At, Arg(0));
    P.Objects.edit(M).Handled = true;
    return cell();
  }
  if (N == "load")
    P.Objects.edit(M).Loaded = true;
  if (N == "to" && C.Callee)
    ModulesConverted |= C.Callee->getNumParams() != 2 || // (device, bool) keeps the type
                        !C.Callee->getParamDecl(0)->getType().getNonReferenceType()->isRecordType();
  if (N == "to" || N == "save" || N == "load" || N == "pretty_print" || N == "cuda" || N == "cpu")
    return cell();
  if (P.Objects[M].Name == "ParameterList" || P.Objects[M].Name == "ParameterDict") {
    if (N == "append" || N == "extend" || N == "insert" || N == "update") {
      const Value Last = C.Arguments.empty() ? Value() : get(C.Arguments.back());
      addTensor(M, Text(0), Last);
      return cell(Value::object(M));
    }
    if (N == "operator[]" || N == "at" || N == "get") {
      const Object &O = P.Objects[M];
      const Value I = Arg(0);
      if (I.K == Value::Integer && I.I >= 0 && I.I < static_cast<int64_t>(O.Parameters.size()))
        return O.Parameters[I.I].second;
      for (const auto &[Name, X] : O.Parameters)
        if (Name == Text(0))
          return X;
      if (!O.Parameters.empty())
        return O.Parameters.back().second;
    }
    if (N == "size")
      return cell(Value::integer(static_cast<int64_t>(P.Objects[M].Parameters.size())));
    if (N == "empty" || N == "is_empty")
      return cell(Value::integer(P.Objects[M].Parameters.empty()));
    if (N == "begin" || N == "end" || N == "values" || N == "items" || N == "pairs") {
      ObjectId S = object(N == "values" ? Object::Sequence : Object::Map);
      std::vector<CellId> Elements;
      std::vector<Value> Keys;
      for (const auto &[Name, X] : std::vector<std::pair<std::string, CellId>>(P.Objects[M].Parameters)) {
        Elements.push_back(X);
        Keys.push_back(text(Name));
      }
      int Size = static_cast<int>(Elements.size());
      P.Objects.edit(S).Elements = std::move(Elements);
      if (P.Objects[S].K == Object::Map)
        P.Objects.edit(S).Keys = std::move(Keys);
      CellId Container = cell(Value::object(S));
      return N == "begin" || N == "end" ? iteratorAt(Container, N == "end" ? Size : 0) : Container;
    }
  }
  if (N == "push_back" || N == "append" || N == "insert" || N == "extend" || N == "update") {
    for (size_t I = 0; I < C.Arguments.size(); ++I)
      addChild(M, Text(0).empty() ? std::to_string(P.Objects[M].Children.size()) : Text(0),
               get(C.Arguments[I]));
    ++Torch.S.Effects;
    return cell(Value::object(M));
  }
  if (N == "operator[]" || N == "at" || N == "ptr_at") {
    const Object &O = P.Objects[M];
    const Value I = Arg(0);
    if (I.K == Value::Integer && I.I >= 0 && I.I < static_cast<int64_t>(O.Children.size()))
      return cell(O.Children[I.I].second);
    std::string Key = Text(0);
    for (const auto &[Name, Child] : O.Children)
      if (!Key.empty() && Name == Key)
        return cell(Child);
    if (!O.Children.empty())
      return cell(O.Children.back().second); // an unknown index: some element
    return cell(externalValue(C.ResultType, C.At, "module"));
  }
  if (N == "size")
    return cell(Value::integer(static_cast<int64_t>(P.Objects[M].Children.size())));
  if (N == "is_empty" || N == "empty")
    return cell(Value::integer(P.Objects[M].Children.empty()));
  if (N == "begin" || N == "end" || N == "cbegin" || N == "cend") {
    ObjectId S = object(Object::Sequence);
    std::vector<CellId> Elements;
    for (const auto &[Name, Child] : std::vector<std::pair<std::string, Value>>(P.Objects[M].Children))
      Elements.push_back(cell(Child));
    P.Objects.edit(S).Elements = std::move(Elements);
    int Size = static_cast<int>(P.Objects[S].Elements.size());
    return iteratorAt(cell(Value::object(S)), N.ends_with("end") ? Size : 0);
  }
  if (N == "clone")
    return cell(cloneModule(M, C.At));
  if (N == "apply" && !C.Arguments.empty()) {
    std::vector<Value> Work{Value::object(M)};
    for (size_t I = 0; I < Work.size() && I < 256; ++I) {
      for (const auto &[Name, Child] : std::vector<std::pair<std::string, Value>>(P.Objects[Work[I].O].Children))
        if (Child.isObject() && P.Objects[Child.O].K == Object::Module)
          Work.push_back(Child);
      invoke(get(C.Arguments[0]), {cell(Work[I])}, Context.VoidTy, C.At);
    }
    return cell();
  }
  if (N == "name")
    return cell(fresh());
  if (N == "reset_parameters" || N == "reset")
    return cell();
  return cell(externalValue(C.ResultType, C.At, N.str()));
}

CellId Interpreter::forward(ObjectId M, const std::vector<CellId> &Args, Site At, bool Discarded,
                            QualType T, llvm::StringRef Method) {
  const Object O = P.Objects[M];
  if (O.Class && isUser(O.Class)) {
    const CXXMethodDecl *Best = nullptr;
    for (const CXXRecordDecl *R = O.Class->getDefinition(); R && !Best;) {
      for (const CXXMethodDecl *X : R->methods())
        if (X->getDeclName().isIdentifier() && X->getName() == Method &&
            X->getNumParams() >= Args.size() && X->getMinRequiredArguments() <= Args.size())
          Best = X;
      const CXXRecordDecl *Base = nullptr;
      for (const CXXBaseSpecifier &B : R->bases())
        if (const CXXRecordDecl *X = B.getType()->getAsCXXRecordDecl(); X && isUser(X))
          Base = X->getDefinition();
      R = Base;
    }
    if (Best)
      return enter(Best, Value::object(M), Args);
    if (O.Name.empty()) {
      untracked("module without forward");
      std::vector<Operand> Operands;
      for (CellId A : Args)
        for (const Operand &X : tensorsIn(get(A)))
          Operands.push_back(X);
      if (Kinds.isTensor(T))
        return cell(Value::tensor(Torch.callUnknown("forward", Operands, At, /*Opaque=*/true)));
      return cell(externalValue(T, At, "forward"));
    }
  }
  return forwardLibrary(M, Args, At, Discarded);
}

/// Packed sequences hold the padded one's values in another order: a copy that gradients pass.
std::optional<CellId> Interpreter::packedSequence(Call &C) {
  llvm::StringRef Q = C.Qualified;
  if (!Q.consume_front("torch::nn::utils::rnn::") || C.Arguments.empty())
    return std::nullopt;
  bool Packs = Q == "pack_padded_sequence" || Q == "pack_sequence";
  const facts::OpFact *Op = Facts.op("clone");
  if ((!Packs && Q != "pad_packed_sequence") || !Op)
    return std::nullopt;
  std::vector<Operand> In = tensorsIn(get(C.Arguments[0]));
  if (In.empty())
    return std::nullopt;
  std::vector<autograd::Argument> Arguments(Op->Arguments.size());
  Arguments[0].Tensors = {In[0]};
  auto R = Torch.call(*Op, Arguments, C.At, {});
  checkThrown();
  if (R.empty() || R[0].empty())
    return std::nullopt;
  CellId Values = cell(Value::tensor(R[0][0]));
  if (Packs) {
    ObjectId O = object(Object::Record, "PackedSequence");
    P.Objects.edit(O).Fields = {{"data", Values}};
    return cell(Value::object(O));
  }
  CellId Lengths = cell(Value::tensor(Torch.bind(Torch.leaf(C.At, "lengths", false))));
  ObjectId T = object(Object::Tuple);
  P.Objects.edit(T).Elements = {Values, Lengths};
  return cell(Value::object(T));
}

CellId Interpreter::forwardLibrary(ObjectId M, const std::vector<CellId> &Args, Site At,
                                   bool Discarded) {
  const Object O = P.Objects[M];
  if (O.Name == "Sequential") {
    std::vector<CellId> In = Args;
    for (const auto &[N, Child] : O.Children) {
      CellId Out;
      if (Child.isObject() && P.Objects[Child.O].K == Object::Module)
        Out = forward(Child.O, In, At, false, Context.VoidTy);
      else
        Out = invoke(Child, In, Context.VoidTy, At);
      In = {Out};
    }
    return In.empty() ? cell() : In[0];
  }
  if (O.Name == "Functional") {
    if (auto F = O.field("function")) {
      QualType T = Context.VoidTy;
      const Value V = get(*F);
      if (V.K == Value::Function && V.F)
        T = V.F->getReturnType().getNonReferenceType();
      return invoke(V, Args, T, At);
    }
  }
  std::vector<Operand> Inputs, Parameters;
  for (CellId A : Args)
    for (const Operand &X : tensorsIn(get(A)))
      Inputs.push_back(X);
  for (const auto &[N, C] : O.Parameters)
    Parameters.push_back(tensorOperand(C));
  const ModuleFact *Fact = Facts.module(O.Name);
  if (O.External && !Fact) { // Note [A caller's module]
    std::vector<Operand> All = Inputs;
    All.insert(All.end(), Parameters.begin(), Parameters.end());
    return cell(Value::tensor(Torch.callUnknown("forward", All, At, /*Opaque=*/false)));
  }
  if (!Fact) {
    untracked("module without facts: " + O.Name);
    std::vector<Operand> All = Inputs;
    All.insert(All.end(), Parameters.begin(), Parameters.end());
    return cell(Value::tensor(Torch.callUnknown(O.Name, All, At, /*Opaque=*/true)));
  }
  // Facts number the parameters as the fact lists them; absent ones keep their place.
  std::vector<Operand> Ordered;
  for (const ModuleFact::Member &Member : Fact->Parameters) {
    Operand X;
    for (const auto *Names : {&O.Parameters, &O.Members}) // the member is what forward() reads
      for (const auto &[N, C] : *Names)
        if (N == Member.Name)
          X = tensorOperand(C);
    Ordered.push_back(X);
  }
  if (!O.Parameters.empty() && Ordered.empty())
    Ordered = Parameters;
  // More tensors than the facts' samples give are states: of an LSTM, a GRU.
  std::vector<Operand> Given = Inputs;

  bool InPlace = false;
  autograd::CallOptions Options;
  if (Fact->InPlaceOption)
    if (auto C = O.field("inplace")) {
      InPlace = known(get(*C)).value_or(false);
      if (InPlace && get(*C).Written.isValid())
        Options.WriteAt = site(get(*C).Written);
    }
  Options.Writer = Discarded ? WriteKind::User : WriteKind::Activation;
  Options.Unreduced = asksForElements(Value::object(M));

  unsigned Outputs = 1;
  if (Fact->Returns == "(Tensor,Tensor)")
    Outputs = 2;
  else if (Fact->Returns == "(Tensor,(Tensor,Tensor))")
    Outputs = 3;
  // batch_first turns the input around, and what is saved is a copy of it.
  facts::ModuleFact Turned;
  if (auto C = O.field("batch_first"); C && known(get(*C)).value_or(false)) {
    Turned = *Fact;
    auto IsInput = [](const facts::Saved &S) {
      return S.What == facts::Saved::Input && S.Index == 0;
    };
    std::erase_if(Turned.SavesInTraining, IsInput);
    std::erase_if(Turned.SavesInEval, IsInput);
    Fact = &Turned;
  }
  std::vector<Operand> R =
      Torch.callModule(*Fact, O.Training != 0, InPlace, Given, Ordered, Outputs, At, Options);
  checkThrown();
  if (Fact == &Turned && !R.empty() && R[0].T)
    Torch.S.Tensors.edit(R[0].T).Turned = true; // and the output is turned back
  noteMode(M, *Fact, R);
  // Training mode that is not known: both modes differ for dropout and normalisation only in what
  // they save, and training saves more.
  if (Outputs == 1 || R.size() < Outputs)
    return cell(R.empty() ? Value() : Value::tensor(R[0]));
  auto Tuple = [&](std::vector<CellId> Elements) {
    ObjectId T = object(Object::Tuple);
    P.Objects.edit(T).Elements = std::move(Elements);
    return cell(Value::object(T));
  };
  auto X = [&](unsigned I) { return cell(Value::tensor(R[I])); };
  if (Outputs == 2)
    return Tuple({X(0), X(1)});
  return Tuple({X(0), Tuple({X(1), X(2)})});
}

} // namespace torch_tidy::model
