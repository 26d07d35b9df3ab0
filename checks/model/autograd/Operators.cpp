// Running an operator, a module, a function of the user's: by its facts.
#include "autograd/AbstractTorch.h"

#include "autograd/OperatorTraits.h"

#include <algorithm>
#include <map>

namespace torch_tidy::autograd {

namespace {

/// Dropout gives its argument back where it drops nothing, and a product with a mask otherwise
/// (ATen/native/Dropout.cpp), written into the argument by the in-place forms. Nothing for other
/// operators, and where mode or rate are not known.
std::optional<bool> dropsOut(const facts::OpFact &Op, const std::vector<Argument> &Arguments) {
  using Output = facts::OpFact::Output;
  if (Op.Name.find("dropout") == Op.Name.npos || Op.Outputs.size() != 1 || Arguments.empty() ||
      (Op.Outputs[0].Kind != Output::MaybeView && Op.Outputs[0].Kind != Output::SameAs))
    return std::nullopt;
  std::optional<double> Rate, Train;
  for (size_t A = 0; A < Op.Arguments.size() && A < Arguments.size(); ++A) {
    if (Op.Arguments[A].Name == "p")
      Rate = Arguments[A].Constant;
    if (Op.Arguments[A].Name == "train" || Op.Arguments[A].Name == "training")
      Train = Arguments[A].Constant;
  }
  if ((Train && *Train == 0) || (Rate && *Rate == 0))
    return false;
  return Train && Rate ? std::optional(true) : std::nullopt;
}

} // namespace

std::vector<std::vector<Operand>> AbstractTorch::call(const facts::OpFact &Op,
                                                      const std::vector<Argument> &Arguments,
                                                      Site At, const CallOptions &Options) {
  using Output = facts::OpFact::Output;
  std::vector<std::vector<Operand>> Results(std::max<size_t>(Op.Outputs.size(), 1));
  const Traits &Trait = traitsOf(Op.Name);
  castUnderAutocast(std::string(Op.Name), Arguments, At);

  // In-place and out= forms: the writes come first, the results are the written tensors.
  bool Writes = std::any_of(Op.Arguments.begin(), Op.Arguments.end(),
                            [](const auto &A) { return A.Mutated; });
  const std::optional<bool> Drops = dropsOut(Op, Arguments);
  if (Writes && Drops && !*Drops) {
    Results[0] = Arguments[0].Tensors;
    return Results;
  }
  if (Writes) {
    callInPlace(Op, Arguments, At, Options);
    if (Raised)
      return Results;
    for (size_t O = 0; O < Op.Outputs.size(); ++O) {
      int A = Op.Outputs[O].Argument;
      if (A >= 0 && A < static_cast<int>(Arguments.size()))
        for (const Operand &X : Arguments[A].Tensors)
          Results[O].push_back(bind(X.T));
    }
    return Results;
  }

  std::vector<std::pair<int, Operand>> Operands;
  bool AnyGrad = false, AnyUntracked = false;
  bool PassedBy = passesAutogradBy(Arguments);
  for (size_t A = 0; A < Arguments.size(); ++A)
    for (const Operand &X : Arguments[A].Tensors)
      if (X.T && !Trait.TakesShape) {
        Operands.push_back({static_cast<int>(A), X});
        AnyGrad |= requiresGrad(X.T) && !PassedBy;
        AnyUntracked |= S.Tensors[X.T].Untracked;
      }
  for (size_t A = 0; A < Arguments.size(); ++A)
    for (const Operand &X : Arguments[A].Numbers)
      if (X.T) // an element that was read from a larger tensor is one element
        Operands.push_back({static_cast<int>(A), S.Tensors[X.T].Scalar ? X : number({X}, At)});

  NodeId N;
  for (size_t O = 0; O < Op.Outputs.size(); ++O) {
    const Output &Out = Op.Outputs[O];
    if (Drops && !*Drops) {
      Results[O] = Arguments[0].Tensors;
      continue;
    }
    if (Out.Kind == Output::SameAs) {
      if (Out.Argument >= 0 && Out.Argument < static_cast<int>(Arguments.size()))
        Results[O] = Arguments[Out.Argument].Tensors;
      continue;
    }
    if ((Out.Kind == Output::ViewOf || Out.Kind == Output::MaybeView) && !Drops &&
        Out.Argument >= 0 && Out.Argument < static_cast<int>(Arguments.size()) &&
        !Arguments[Out.Argument].Tensors.empty() && Arguments[Out.Argument].Tensors[0].T) {
      Operand Base = Arguments[Out.Argument].Tensors[0];
      if (Out.Diff == facts::Differentiable::No) {
        Results[O].push_back(bind(detached(Base, Alias::Detach, At)));
        continue;
      }
      if (Out.Kind == Output::ViewOf || !Trait.UsuallyCopies) {
        for (unsigned I = 0, E = Out.List ? Options.ListSize : 1; I < E; ++I) {
          Region Part;
          if (Options.Part)
            Part = *Options.Part;
          else if (Trait.SelectsPart)
            Part = {-1};
          if (Out.List)
            Part.push_back(FirstChunk + static_cast<int>(I));
          Results[O].push_back(
              bind(viewOf(Base, At, std::string(Trait.Name), Out.MultiView, Part)));
          Results[O].back().Kept = Base.Kept;
          Results[O].back().Named = Base.Named;
        }
        continue;
      }
    }
    bool Integral = Trait.IntegralResult || Options.ToIntegral;
    bool Track = AnyGrad && S.GradMode && !S.InferenceMode &&
                 Out.Diff != facts::Differentiable::No && !Options.ToIntegral;
    bool Scalar = isScalar(Op, Arguments, Options);
    for (unsigned I = 0, E = Out.List ? Options.ListSize : 1; I < E; ++I) {
      Tensor New;
      New.Made = At;
      New.MadeBy = Trait.Name;
      New.Untracked = AnyUntracked || !Op.Known;
      New.Integral = Integral;
      New.Scalar = Scalar;
      if ((Trait.CopiesElements || Trait.Name == "clone" || Options.Copies) && !Arguments.empty() &&
          !Arguments[0].Tensors.empty()) {
        New.CopiedFrom = Arguments[0].Tensors[0].T;
        New.Selected = Trait.CopiesElements;
      }
      if (Out.Kind == Output::Fresh && !Operands.empty())
        New.ComputedFrom = Operands.front().second.T;
      for (auto &[A, X] : Operands) {
        New.Opaque |= S.Tensors[X.T].Opaque;
        New.OfGradient |= S.Tensors[X.T].OfGradient;
      }
      TensorId R = add(std::move(New));
      bool Flat = Out.Diff == facts::Differentiable::No || Options.ToIntegral;
      bool Off = !S.GradMode || S.InferenceMode || PassedBy;
      for (auto &[A, X] : Operands)
        if (PassedBy && !S.InferenceMode)
          read(X.T); // nobody expects a gradient of it
        else if (Flat && !Off)
          mergeDependences(R, X, true, At,
                           "'" + std::string(Trait.Name) +
                               (Options.ToIntegral ? "' to an integral type" : "'"),
                           Alias::None, false, CutBy::Operator);
        else
          mergeDependences(R, X, !Track, Off && S.GradModeOffAt ? S.GradModeOffAt : At,
                           "a guard that switches grad mode off", Alias::None, false, CutBy::Guard);
      if (Track) {
        if (!N)
          N = addNode(std::string(Trait.Name), At);
        setHistory(R, N);
        Family &F = S.Families.edit(S.Tensors[R].Kin);
        F.RequiresGrad = true;
        mergeTerms(R, Trait.Name, Operands, At);
      }
      Results[O].push_back(bind(R));
    }
  }

  if (N) {
    // A factor that is known to be zero: what the gradient of A is multiplied by.
    auto ZeroFactorOf = [&](int A) {
      return std::find_if(Operands.begin(), Operands.end(), [&](const auto &P) {
        return P.first != A && isZero(P.second.T) &&
               std::any_of(Op.Saves.begin(), Op.Saves.end(), [&](const facts::Saved &R) {
                 return R.GradientOf == A && R.What == facts::Saved::Input && R.Index == P.first;
               });
      });
    };
    for (auto &[A, X] : Operands) {
      if (!requiresGrad(X.T)) {
        noteOperand(N, X);
        continue;
      }
      std::optional<ZeroCause> Zero;
      if (!Op.Outputs.empty() && Op.Outputs[0].Diff == facts::Differentiable::Zero)
        Zero = ZeroCause{At, std::string(Trait.Name), Alias::None, false, /*Operator=*/true};
      if (Trait.Multiplicative) {
        if (auto Z = ZeroFactorOf(A); Z != Operands.end())
          Zero = whyZero(Z->second.T);
        for (const Argument &C : Arguments)
          if (C.Constant && *C.Constant == 0 && C.Tensors.empty() && Trait.ScalarFactor)
            Zero = ZeroCause{At, "multiplication by 0"};
      }
      bool Power = Trait.Name == "pow" && Arguments.size() > 1 && Arguments[1].Constant &&
                   *Arguments[1].Constant > 1;
      if ((Trait.FlatAtZero || Power) && isZero(X.T))
        Zero = whyZero(X.T);
      connect(N, X, A, Zero ? &*Zero : nullptr);
      if (Raised) // the first operand that raises is the last that is looked at
        return std::vector<std::vector<Operand>>(Results.size());
      noteOperand(N, X);
    }
    bool WithData = false;
    for (size_t A = 0; A < Arguments.size() && A < 2; ++A) {
      const Argument &X = Arguments[A];
      WithData |= X.Tensors.empty() && !X.Constant && A < Op.Arguments.size() &&
                  Op.Arguments[A].Type.starts_with("Scalar");
      for (const Operand &Y : X.Tensors)
        WithData |= Y.T && !requiresGrad(Y.T) && dependences(Y.T).empty();
    }
    S.Nodes.edit(N).WithData = WithData;
    saveFor(N, Op, Arguments, Results, /*InPlaceArgument=*/-1);
  }
  if (Raised)
    return std::vector<std::vector<Operand>>(Results.size());
  for (auto &R : Results)
    for (Operand &X : R)
      if (X.T && !S.Tensors[X.T].History && !Trait.IntegralResult)
        for (const auto &[A, Y] : Operands)
          if (Y.T && Y.T != X.T)
            suspectOldHandle(X, Y, std::string(Trait.Name), At);
  noteBounds(Op, Arguments, Results);
  if (Trait.KeepsZero || Trait.Multiplicative) {
    bool All = !Operands.empty(), Any = false;
    ZeroCause Why;
    for (auto &[A, X] : Operands) {
      bool Z = isZero(X.T);
      All &= Z;
      Any |= Z;
      if (Z)
        Why = whyZero(X.T);
    }
    if ((Trait.KeepsZero && All) || (Trait.Multiplicative && Trait.ScalarFactor && Any))
      for (auto &R : Results)
        for (Operand &X : R)
          if (S.Storages[S.Tensors[X.T].Memory].Writes.empty()) {
            Storage &M = S.Storages.edit(S.Tensors[X.T].Memory);
            M.Zero = true;
            M.WhyZero = Why;
          }
  }
  return Results;
}

/// Saves for backward what the facts say, given which arguments require grad.
void AbstractTorch::saveFor(NodeId N, const facts::OpFact &Op,
                            const std::vector<Argument> &Arguments,
                            const std::vector<std::vector<Operand>> &Results,
                            int InPlaceArgument) {
  // gen_variable_type.py, guard_for(): what one formula of several uses is saved where a gradient
  // goes along that formula's argument; what all use, or the only one, wherever there is a node.
  auto TensorArguments = std::count_if(Op.Arguments.begin(), Op.Arguments.end(), [](const auto &A) {
    return A.Type.substr(0, 6) == "Tensor";
  });
  auto FormulasUsing = [&](const facts::Saved &Rule) {
    std::set<int> Users;
    for (const facts::Saved &R : Op.Saves)
      if (R.What == Rule.What && R.Index == Rule.Index)
        Users.insert(R.GradientOf);
    return Users.size();
  };
  auto Applies = [&](const facts::Saved &Rule) {
    int A = Rule.GradientOf;
    if (A < 0 || A >= static_cast<int>(Arguments.size()))
      return false;
    bool Guarded = TensorArguments > 1 && FormulasUsing(Rule) == 1;
    return std::any_of(Arguments[A].Tensors.begin(), Arguments[A].Tensors.end(),
                       [&](const Operand &X) {
                         return Guarded ? hasGradientEdge(X.T) : requiresGrad(X.T);
                       });
  };
  std::map<std::pair<facts::Saved::Kind, int>, std::pair<std::vector<int>, bool>> Needed;
  for (const facts::Saved &Rule : Op.Saves)
    if (Applies(Rule)) {
      auto [It, New] = Needed.insert({{Rule.What, Rule.Index}, {{}, true}});
      It->second.first.push_back(Rule.GradientOf);
      It->second.second &= !Rule.Always; // perhaps, unless some rule always holds
    }
  for (const auto &[What, Why] : Needed) {
    auto [Kind, Index] = What;
    const auto &[NeededFor, Perhaps] = Why;
    if (Index < 0)
      continue;
    if (Kind == facts::Saved::Output) {
      if (Index < static_cast<int>(Results.size()))
        for (const Operand &X : Results[Index])
          if (X.T)
            save(N, X.T, true, NeededFor, Perhaps);
    } else if (Index < static_cast<int>(Arguments.size()) && Index != InPlaceArgument) {
      // linear() of more than two dimensions folds all but the last one into one: of what lies in
      // another order that makes a copy (Linear.cpp, _flatten_nd_linear). Two would be saved as they are;
      // how many there are is not known.
      bool Copied = Index == 0 && (Op.Name == "linear" || Op.Name == "Linear");
      for (const Operand &X : Arguments[Index].Tensors)
        if (X.T && !(Copied && S.Tensors[X.T].Turned))
          save(N, X.T, false, NeededFor, Perhaps, Index);
    }
  }
}

void AbstractTorch::callFunction(FunctionCall &Call, Site At) {
  auto IsAmong = [](const auto &Tensors, TensorId T) {
    return std::any_of(Tensors.begin(), Tensors.end(), [&](const Operand &X) { return X.T == T; });
  };
  auto IsMarked = [](const std::vector<TensorId> &Marked, TensorId T) {
    return std::find(Marked.begin(), Marked.end(), T) != Marked.end();
  };
  bool AnyGrad = std::any_of(Call.Inputs.begin(), Call.Inputs.end(),
                             [&](const Operand &X) { return requiresGrad(X.T); });
  for (TensorId T : Call.Dirty)
    if (T && !IsAmong(Call.Results, T) && !S.Tensors[T].Untracked && !Repaired.count(At.Number)) {
      Defect D{DefectKind::DirtyNotReturned, Outcome::Throws, At,
               "'" + Call.Name + "' marks a tensor dirty that it does not return", {}};
      D.InPlace = true;
      D.Operation = Call.Name;
      return raise(std::move(D));
    }
  auto Connected = [&](NodeId N) {
    for (const Operand &X : Call.Kept)
      if (X.T)
        save(N, X.T, IsAmong(Call.Results, X.T), {}, false);
    return N;
  };
  for (size_t I = 0; I < Call.Inputs.size(); ++I) {
    TensorId T = Call.Inputs[I].T;
    if (!T || !IsMarked(Call.Dirty, T))
      continue;
    if (!markDirty(Call, I, At))
      return;
    if (AnyGrad && S.GradMode)
      Connected(S.Tensors[T].History);
  }
  // custom_function.cpp, _process_backward_mode_ad(): the view refuses to be written, since its history
  // would be made anew without the function's.
  for (Operand &R : Call.Results)
    if (S.GradMode && R.T && requiresGrad(R.T) && IsAmong(Call.Inputs, R.T) &&
        !IsMarked(Call.Dirty, R.T) && !IsMarked(Call.NotDifferentiable, R.T)) {
      R = bind(viewOf(R, At, Call.Name, /*Multi=*/false, {}));
      S.Tensors.edit(R.T).FunctionView = true;
    }
  NodeId N;
  for (const Operand &R : Call.Results) {
    if (!R.T || IsAmong(Call.Inputs, R.T) || S.Tensors[R.T].Integral)
      continue;
    // What flowed inside forward flowed without gradients; the node is what connects.
    bool Constant = IsMarked(Call.NotDifferentiable, R.T);
    S.Tensors.edit(R.T).Depends = nullptr;
    for (size_t I = 0; I < Call.Inputs.size(); ++I) {
      bool Off = !S.GradMode;
      mergeDependences(R.T, Call.Inputs[I], Off || Constant || !Call.Reached[I],
                       Off && S.GradModeOffAt ? S.GradModeOffAt : At,
                       Off        ? "a guard that switches grad mode off"
                       : Constant ? "'" + Call.Name + "' marking it as not differentiable"
                                  : "the undefined gradient that '" + Call.Name + "' gives back",
                       Alias::None, false, Off ? CutBy::Guard : CutBy::Function);
    }
    if (!AnyGrad || !S.GradMode || Constant)
      continue;
    if (!N) {
      N = addNode(Call.Name, At);
      for (size_t I = 0; I < Call.Inputs.size(); ++I)
        if (Call.Reached[I] && requiresGrad(Call.Inputs[I].T))
          connect(N, Call.Inputs[I], static_cast<int>(I));
      Connected(N);
    }
    setHistory(R.T, N);
    S.Families.edit(S.Tensors[R.T].Kin).RequiresGrad = true;
  }
}

Operand AbstractTorch::callUnknown(const std::string &Name, const std::vector<Operand> &Operands,
                                   Site At, bool Opaque) {
  Tensor New;
  New.Made = At;
  New.MadeBy = Name;
  New.Untracked = true;
  New.Opaque = Opaque;
  for (const Operand &X : Operands)
    if (X.T)
      New.Opaque |= S.Tensors[X.T].Opaque;
  TensorId R = add(std::move(New));
  bool AnyGrad = false;
  for (const Operand &X : Operands)
    AnyGrad |= requiresGrad(X.T);
  for (const Operand &X : Operands)
    mergeDependences(R, X, !S.GradMode, S.GradModeOffAt ? S.GradModeOffAt : At,
                     "a guard that switches grad mode off", Alias::None, false, CutBy::Guard);
  if (AnyGrad && S.GradMode) {
    NodeId N = addNode(Name, At);
    for (const Operand &X : Operands)
      if (requiresGrad(X.T))
        connect(N, X, -1);
    setHistory(R, N);
    S.Families.edit(S.Tensors[R].Kin).RequiresGrad = true;
  }
  return bind(R);
}

std::vector<Operand> AbstractTorch::callModule(const facts::ModuleFact &Module, bool Training,
                                               bool InPlace, const std::vector<Operand> &Inputs,
                                               const std::vector<Operand> &Parameters,
                                               unsigned Outputs, Site At, const CallOptions &Options) {
  using Output = facts::OpFact::Output;
  // A module is an operator whose arguments are its inputs and its parameters; what it saves is
  // written down per module, because options decide which kernels it runs.
  facts::OpFact Op;
  Op.Name = Module.Name;
  std::vector<Argument> Arguments;
  for (const Operand &X : Inputs) {
    Op.Arguments.push_back({"input", "Tensor"});
    Arguments.push_back({{X}, std::nullopt, {}});
  }
  for (const Operand &X : Parameters) {
    Op.Arguments.push_back({"parameter", "Tensor"});
    Arguments.push_back({{X}, std::nullopt, {}});
  }
  int FirstParameter = static_cast<int>(Inputs.size());
  if (!Training && Module.IdentityInEval && !Inputs.empty())
    return {Inputs[0]};
  for (facts::Saved R : InPlace    ? Module.SavesInPlace
                        : Training ? Module.SavesInTraining
                                   : Module.SavesInEval) {
    if (R.GradientOf < 0)
      R.GradientOf = FirstParameter + (-1 - R.GradientOf);
    if (R.What == facts::Saved::Parameter) {
      R.What = facts::Saved::Input;
      R.Index += FirstParameter;
    }
    Op.Saves.push_back(R);
  }
  Output Out;
  Out.Kind = Module.Output;
  Out.Argument = Out.Kind == Output::Fresh ? -1 : 0;
  if (InPlace && !Op.Arguments.empty()) {
    Op.Arguments[0].Mutated = true;
    Out.Kind = Output::SameAs;
    Out.Argument = 0;
  }
  Op.Known = Module.Known;
  Op.Outputs.assign(std::max(1u, Outputs), Out);
  std::vector<Operand> Results;
  for (auto &R : call(Op, Arguments, At, Options))
    Results.push_back(R.empty() ? Operand() : R[0]);
  return Results;
}

} // namespace torch_tidy::autograd
