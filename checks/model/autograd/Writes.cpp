// In-place operators and every other way to change a tensor's content.
#include "autograd/AbstractTorch.h"
#include "autograd/OperatorTraits.h"

#include <algorithm>

namespace torch_tidy::autograd {

struct AbstractTorch::WriteSpec {
  std::string Operation;
  const facts::OpFact *Op = nullptr;
  const std::vector<Argument> *Arguments = nullptr;
  int Mutated = -1; ///< which argument this write is about
  std::vector<Operand> Sources;
  bool Versioned = true;
  bool Overwrites = false;
  bool ShiftOnly = false;
  bool Zeroes = false;
  bool Uniform = false;
  bool KeepsSigns = false;
  bool SameContent = false; ///< leaves every element as it was
  Bounds Leaves;            ///< where all elements lie that were written
  bool Differentiable = true;
  Site CalledAt;
  WriteKind Kind = WriteKind::User;
};

namespace {

std::string describe(const Write &W) {
  if (W.Operation == "set_data")
    return "set_data()";
  if (W.Kind == WriteKind::Optimizer)
    return "the optimizer's step()";
  switch (W.Through) {
  case Alias::Detach:
    return "'" + W.Operation + "' through the detached alias";
  case Alias::Data:
    return "'" + W.Operation + "' through data()";
  case Alias::RawPointer:
    return "a write through a raw pointer";
  case Alias::None:
    break;
  }
  if (W.Kind == WriteKind::Activation)
    return "the in-place activation '" + W.Operation + "'";
  return "in-place '" + W.Operation + "'";
}

} // namespace

void AbstractTorch::callInPlace(const facts::OpFact &Op, const std::vector<Argument> &Arguments,
                                Site At, const CallOptions &Options) {
  const Traits &Trait = traitsOf(Op.Name);
  std::vector<Operand> Sources;
  bool AnyGrad = false, OutVariant = false;
  for (size_t A = 0; A < Arguments.size() && A < Op.Arguments.size(); ++A) {
    const auto &Formal = Op.Arguments[A];
    OutVariant |= Formal.Mutated && Op.Name.find(".out") != std::string_view::npos;
    OutVariant |= Formal.Mutated && Op.Name.find("_out") != std::string_view::npos;
    for (const Operand &X : Arguments[A].Tensors)
      if (X.T) {
        AnyGrad |= requiresGrad(X.T);
        if (!Formal.Mutated)
          Sources.push_back(X);
      }
    for (const Operand &X : Arguments[A].Numbers)
      if (X.T)
        Sources.push_back(S.Tensors[X.T].Scalar ? X : number({X}, At));
  }
  if (OutVariant && AnyGrad && S.GradMode && !Repaired.count(At.Number)) {
    Defect D{DefectKind::OutVariant, Outcome::Throws, At,
             "'" + std::string(Op.Name) +
                 "' writes into an out argument while an operand requires grad",
             {}};
    D.InPlace = true;
    D.Operation = Trait.Name;
    raise(std::move(D));
    return;
  }
  for (size_t A = 0; A < Arguments.size() && A < Op.Arguments.size(); ++A) {
    if (!Op.Arguments[A].Mutated)
      continue;
    for (const Operand &X : Arguments[A].Tensors) {
      if (!X.T)
        continue;
      WriteSpec Spec;
      Spec.Operation = Trait.Name;
      Spec.Op = &Op;
      Spec.Arguments = &Arguments;
      Spec.Mutated = static_cast<int>(A);
      Spec.Sources = Sources;
      Spec.Overwrites = Trait.Overwrites;
      Spec.Kind = Options.Writer;
      Spec.Differentiable = Op.Outputs.empty() || Op.Outputs[0].Diff != facts::Differentiable::No;
      auto ConstantIs = [&](double V) {
        for (size_t C = 0; C < Arguments.size(); ++C)
          if (Arguments[C].Constant && *Arguments[C].Constant == V && Arguments[C].Tensors.empty())
            return true;
        return false;
      };
      Spec.Zeroes = Trait.Name == "zero_" || (Trait.Name == "fill_" && ConstantIs(0)) ||
                    (Trait.Multiplicative && Trait.ScalarFactor && ConstantIs(0)) ||
                    (Trait.Name == "copy_" && Sources.size() == 1 && isZero(Sources[0].T));
      BoundedCall Call{Op, Arguments, {}};
      if (!Spec.Overwrites)
        Call.Operands.push_back(boundsOf(X.T));
      for (const Operand &Y : Sources)
        if (!OutVariant || !Y.T || S.Tensors[Y.T].Memory != S.Tensors[X.T].Memory)
          Call.Operands.push_back(Y.T ? boundsOf(Y.T) : Bounds());
      Spec.KeepsSigns = keepsSigns(Call);
      Spec.SameContent = isIdentity(Call);
      Spec.Leaves = autograd::boundsOf(Call);
      // Adding what does not depend on a parameter leaves every derivative as it was.
      Spec.ShiftOnly = Trait.ShiftOnly && std::all_of(Sources.begin(), Sources.end(), [&](auto &Y) {
                         Dependences D = dependences(Y.T);
                         return std::none_of(D.begin(), D.end(), [&](const auto &E) {
                           // What the author detached is a constant by intent; what only the
                           // alias itself, or a guard, cut off is a lost term.
                           const Tensor &Written = S.Tensors[X.T];
                           return E.second.Status != Dependence::Cut ||
                                  E.second.Through != Alias::Detach ||
                                  E.second.At == Written.AliasMade;
                         });
                       });
      Spec.Uniform = Trait.ShiftOnly && std::all_of(Sources.begin(), Sources.end(), [&](auto &Y) {
                       const Tensor &T = S.Tensors[Y.T];
                       return T.Scalar || (traitsOf(T.MadeBy).FillsEvenly &&
                                           S.Storages[T.Memory].Writes.empty());
                     });
      if (Options.WriteAt)
        Spec.CalledAt = At;
      Site Culprit = Options.WriteAt ? Options.WriteAt : At;
      Culprit.Conditional |= At.Conditional;
      if (!write(X, Spec, Culprit))
        return;
    }
  }
}

/// VariableTypeUtils.h, check_inplace: what in-place operators refuse in grad mode.
bool AbstractTorch::refuseWrite(Operand X, const WriteSpec &Spec, bool Tracked, Site At) {
  const Tensor &T = S.Tensors[X.T];
  if (T.Untracked)
    return false;
  auto Refuse = [&](DefectKind Kind, std::string Message, std::vector<ChainEvent> Chain) {
    Defect D{Kind, Outcome::Throws, At, std::move(Message), std::move(Chain)};
    D.Writer = Spec.Kind;
    D.InPlace = true;
    D.OfLeaf = Kind == DefectKind::LeafWritten;
    D.Operation = Spec.Operation;
    raise(std::move(D));
    return true;
  };
  // ADInplaceOrView: increment_version() refuses inference tensors, whatever the grad mode.
  if (S.Counters[T.Count].None && !S.InferenceMode && Spec.Versioned && !Repaired.count(T.Made.Number) &&
      !Repaired.count(S.Storages[T.Memory].InferenceAt.Number))
    return Refuse(DefectKind::InferenceTensor,
                  "in-place '" + Spec.Operation +
                      "' outside of inference mode on a tensor that was made in it",
                  {{T.Made, "the tensor is made in inference mode here"}});
  if (!Tracked)
    return false;
  if (T.MultiView)
    return Refuse(DefectKind::MultiViewWritten,
                  "in-place '" + Spec.Operation + "' on one of several views returned by '" +
                      T.MadeBy + "'",
                  {{T.Made, "the views are made by '" + T.MadeBy + "' here"}});
  if (T.FunctionView)
    return Refuse(DefectKind::MultiViewWritten,
                  "in-place '" + Spec.Operation +
                      "' on an input that '" + T.MadeBy + "' returned, a view of itself",
                  {{T.Made, "a function of the program's returns its input unmarked here"}});
  if (T.NoGradView)
    return Refuse(DefectKind::NoGradViewWritten,
                  "in-place '" + Spec.Operation +
                      "' in grad mode on a view that was made under no-grad",
                  {{T.Made, "the view is made under no-grad here"}});
  bool Leaf = requiresGrad(X.T) && isLeaf(X.T);
  TensorId Base = S.Families[T.Kin].Base;
  bool ViewOfLeaf = !Leaf && T.IsView && requiresGrad(X.T) && Base && isLeaf(Base);
  if (Leaf || ViewOfLeaf) {
    std::string What = T.IsParameter ? "parameter '" + T.MadeBy + "'" : "a leaf that requires grad";
    return Refuse(DefectKind::LeafWritten,
                  "in-place '" + Spec.Operation + "' on " + (ViewOfLeaf ? "a view of " : "") + What +
                      " in grad mode",
                  {{T.Made, (ViewOfLeaf ? "the view is made here" : "the leaf is made here")}});
  }
  return false;
}

/// Note [Leave one out]
/// A program that throws hides what comes after. Once a throwing write is recorded, the program is
/// run again with that write repaired: done on a copy, as `h = h * 2` would do instead of
/// `h *= 2`. The tensor moves to a storage and a counter of its own just before the write, so
/// nobody else, saved variables included, sees it.
void AbstractTorch::isolate(TensorId Id) {
  const Tensor Written = S.Tensors[Id];
  // An alias made behind autograd's back leaves alone; otherwise the base takes its views along,
  // as `h = h.clone(); h[0] = x` does.
  std::vector<TensorId> Moving;
  for (TensorId Other : S.Storages[Written.Memory].Tensors) {
    const Tensor &T = S.Tensors[Other];
    if (T.Memory == Written.Memory &&
        (Other == Id || (Written.Through == Alias::None && T.Kin == Written.Kin)))
      Moving.push_back(Other);
  }
  StorageId M = S.Storages.add({});
  CounterId C = S.Counters.add({});
  FamilyId F = Written.Kin;
  if (Written.Through != Alias::None) {
    F = S.Families.add({});
    S.Families.edit(F).Base = Id;
  }
  bool Zero = S.Storages[Written.Memory].Zero;
  ZeroCause WhyZero = S.Storages[Written.Memory].WhyZero;
  for (TensorId Other : Moving) {
    Tensor &T = S.Tensors.edit(Other);
    T.Memory = M;
    T.Count = C;
    T.Kin = F;
    T.MultiView = T.NoGradView = T.FunctionView = false;
    T.Through = Alias::None;
    T.Dirty = -1;
  }
  Storage &New = S.Storages.edit(M);
  New.Tensors = std::move(Moving);
  New.Zero = Zero;
  New.WhyZero = WhyZero;
}

bool AbstractTorch::write(Operand X, const WriteSpec &Spec, Site At) {
  bool Repair = Repaired.count(At.Number) && Spec.Kind != WriteKind::Optimizer;
  bool GradMode = S.GradMode;
  if (Repair) {
    const Tensor &T = S.Tensors[X.T];
    if (T.LeafRequiresGrad && !T.History)
      S.GradMode = false; // repaired by a no-grad guard around the write
    else
      isolate(X.T);
  }
  bool SourceGrad = std::any_of(Spec.Sources.begin(), Spec.Sources.end(),
                                [&](const Operand &Y) { return requiresGrad(Y.T); });
  bool PassedBy = S.Tensors[X.T].Inference && Spec.Arguments && passesAutogradBy(*Spec.Arguments);
  bool Track = S.GradMode && !S.InferenceMode && Spec.Versioned && Spec.Differentiable &&
               Spec.Kind != WriteKind::Optimizer && !PassedBy &&
               (requiresGrad(X.T) || SourceGrad);
  if (refuseWrite(X, Spec, Track, At)) {
    S.GradMode = GradMode;
    return false;
  }

  // The operands' histories are asked for before anything is written, and asking may raise.
  if (Track) {
    historyOf(X.T);
    for (const Operand &Y : Spec.Sources)
      if (!Raised)
        historyOf(Y.T);
    if (Raised) {
      S.GradMode = GradMode;
      return false;
    }
  }

  const Tensor Before = S.Tensors[X.T];
  bool Part = !Before.Where.empty();
  // h.data().add_(1) is another way to write h = h + 1, and every derivative stays what it was. An
  // alias with a name is a value of its own: that h changes with it is news to the author.
  bool ShiftOnly = Spec.ShiftOnly && !(X.Named && Before.Through != Alias::None);
  NodeId N;
  if (Track) {
    N = addNode(Spec.Operation, Spec.CalledAt ? Spec.CalledAt : At);
    if (requiresGrad(X.T)) {
      // What is overwritten in full view, as `h = zeros` would do, is what was asked for: no cause
      // to tell, unless what is written was computed from parameters and has lost its way to them.
      // An operation that is flat everywhere cuts the gradient in place or not.
      bool Flat = Spec.Op && !Spec.Op->Outputs.empty() &&
                  Spec.Op->Outputs[0].Diff == facts::Differentiable::Zero;
      bool Zero = Flat || ((Spec.Overwrites || Spec.Zeroes) && !Part);
      ZeroCause Cause;
      if (Flat)
        Cause = {At, Spec.Operation};
      else if (Before.Through != Alias::None ||
               std::any_of(Spec.Sources.begin(), Spec.Sources.end(), [&](const Operand &Y) {
                 return !requiresGrad(Y.T) && !dependences(Y.T).empty();
               }))
        Cause = {At, Spec.Operation, Before.Through, true};
      connect(N, X, Spec.Mutated, Zero ? &Cause : nullptr);
      noteOperand(N, X);
    }
    for (const Operand &Y : Spec.Sources) {
      if (requiresGrad(Y.T))
        connect(N, Y, -1);
      noteOperand(N, Y);
    }
    if (Spec.Op) {
      saveInputsOfWrite(N, *Spec.Op, *Spec.Arguments, Spec.Mutated);
      if (Raised) { // an operand that cannot be saved: nothing is written
        S.GradMode = GradMode;
        return false;
      }
      // sin_ needs the old content for its gradient and saves a copy of it; that its out-of-place
      // sibling saves the argument tells so.
      std::string Sibling(Spec.Op->Name);
      if (size_t At = Sibling.find('_'); At != std::string::npos)
        if (size_t Dot = std::min(Sibling.find('.'), Sibling.size()); Dot && Sibling[Dot - 1] == '_')
          if (const facts::OpFact *Plain = Facts->op(Sibling.erase(Dot - 1, 1)))
            for (const facts::Saved &Rule : Plain->Saves)
              if (Rule.What == facts::Saved::Input && Rule.Index == 0 &&
                  Rule.GradientOf < static_cast<int>(Spec.Arguments->size()))
                for (const Operand &Y : (*Spec.Arguments)[Rule.GradientOf].Tensors)
                  S.Nodes.edit(N).SavesCopy |= requiresGrad(Y.T);
    }
  }

  if (matters(Before.Memory) || SourceGrad || Track)
    ++S.Effects;
  Write W;
  W.At = At;
  W.CalledAt = Spec.CalledAt;
  W.Kind = Spec.Kind;
  W.Through = Before.Through;
  W.AliasMade = Before.AliasMade;
  W.Versioned = Spec.Versioned;
  W.Tracked = Track;
  W.UnderNoGrad = !S.GradMode;
  W.ShiftOnly = ShiftOnly;
  W.Zeroes = Spec.Zeroes && !Part;
  W.Uniform = Spec.Uniform && !Part;
  W.Where = Before.Where;
  W.ByKept = X.Kept;
  W.Operation = Spec.Operation;
  Storage &M = S.Storages.edit(Before.Memory);
  const Traits &Trait = traitsOf(Spec.Operation);
  W.SameContent = Spec.SameContent;
  W.KeepsSigns = Spec.KeepsSigns;
  bool SameContent = W.SameContent;
  if (!SameContent)
    M.Holds = Part ? hull(M.Holds, Spec.Leaves) : Spec.Leaves;
  M.Writes.push_back(std::move(W));
  uint32_t Index = static_cast<uint32_t>(M.Writes.size() - 1);
  // What is zero on an arm that nobody knows to be taken (an initialiser told from others by a name)
  // proves no gradient zero.
  if (Spec.Zeroes && !Part && !At.Conditional) {
    M.Zero = true;
    M.WhyZero = {};
    if (Before.Through != Alias::None) // otherwise zeros are what was asked for, in full view
      M.WhyZero = {At, Spec.Operation, Before.Through, true};
  } else if (!traitsOf(Spec.Operation).Multiplicative && !traitsOf(Spec.Operation).KeepsZero) {
    M.Zero = false;
  }
  if (Spec.Overwrites && !Part) {
    S.Storages.edit(Before.Memory).Suspects = nullptr;
    for (TensorId Other : S.Storages[Before.Memory].Tensors)
      if (S.Tensors[Other].Memory == Before.Memory && S.Tensors[Other].Suspects)
        S.Tensors.edit(Other).Suspects = nullptr;
  }
  if (Spec.Versioned)
    S.Counters.edit(Before.Count).Bumps.push_back({Before.Memory, Index});

  // What the new content depends on: no longer on what the old did, where all of it is replaced by
  // something computed and no history tells of the old.
  if (Spec.Overwrites && !Part && !Track && Spec.Kind == WriteKind::User && !At.Conditional &&
      std::any_of(Spec.Sources.begin(), Spec.Sources.end(),
                  [&](const Operand &Y) { return !dependences(Y.T).empty(); }))
    for (TensorId Other : S.Storages[Before.Memory].Tensors)
      if (S.Tensors[Other].Memory == Before.Memory && !S.Tensors[Other].History &&
          S.Tensors[Other].Depends)
        S.Tensors.edit(Other).Depends = nullptr;
  std::string How = !Spec.Versioned || Before.Through != Alias::None
                        ? "'" + Spec.Operation + "' behind autograd"
                        : "'" + Spec.Operation + "' under no-grad";
  std::vector<TensorId> Sharers;
  for (TensorId Other : S.Storages[Before.Memory].Tensors)
    if (S.Tensors[Other].Memory == Before.Memory) // set_data() may have moved it since
      Sharers.push_back(Other);
  for (const Operand &Y : Spec.Sources)
    for (TensorId Other : Sharers)
      if (Other == X.T || overlap(S.Tensors[Other].Where, Before.Where)) {
        bool Cut = !Track || S.Tensors[Other].Kin != Before.Kin;
        mergeDependences(Other, Y, Cut, At, How, Before.Through, /*InPlace=*/true, CutBy::Write);
        if (S.Tensors[Y.T].Opaque)
          S.Tensors.edit(Other).Opaque = true;
        if (S.Tensors[Y.T].OfGradient && !S.Tensors[Other].OfGradient && Spec.Overwrites)
          S.Tensors.edit(Other).OfGradient = true;
      }
  if (Track) {
    std::vector<std::pair<int, Operand>> Terms{{Spec.Mutated, X}};
    for (const Operand &Y : Spec.Sources)
      Terms.push_back({-1, Y});
    mergeTerms(X.T, Spec.Operation, Terms, At);
  }

  if (Spec.Kind != WriteKind::Optimizer) {
    stepsByHand(Before.Memory, Spec.Sources, At);
    if (TensorId Owner = S.Storages[Before.Memory].GradientOf; Owner && !Part)
      gradientWritten(Owner, Spec.Zeroes, Spec.Overwrites, At);
  }

  if (Track) {
    Family &F = S.Families.edit(Before.Kin);
    NodeId BaseHistory = F.History;
    ++F.Version;
    F.RequiresGrad = true;
    NodeId Own = N;
    if (Before.IsView) {
      // VariableHooks::rebase_history(): the base's history becomes a CopySlices around the write,
      // with the rest of the base on its old history beside it, and the view's own is made anew from
      // there. CopySlices refuses a second walk whether anything was saved or not.
      NodeId Slices = addNode("copy_slices", At);
      NodeId Rest = !Part ? NodeId() : BaseHistory ? BaseHistory : baseHistory(Before);
      Node &SN = S.Nodes.edit(Slices);
      SN.SavesCopy = true;
      for (NodeId To : {N, Rest})
        if (To) {
          Edge E;
          E.To = To;
          SN.Next.push_back(E);
        }
      S.Families.edit(Before.Kin).History = Slices;
      Own = addNode("as_strided", At);
      Edge E;
      E.To = Slices;
      S.Nodes.edit(Own).Next.push_back(E);
    } else {
      S.Families.edit(Before.Kin).History = N;
    }
    setHistory(X.T, Own);
    if (Spec.Op)
      saveResultsOfWrite(N, *Spec.Op, *Spec.Arguments, Spec.Mutated, X.T);
  }

  // Whoever has a history that does not know of this write now holds a value it does not describe.
  if (Spec.Kind != WriteKind::Optimizer && !ShiftOnly && !SameContent)
    for (TensorId Other : Sharers) {
      const Tensor &T = S.Tensors[Other];
      bool Knows = Track && T.Kin == Before.Kin;
      NodeId HasHistory = T.History ? T.History : S.Families[T.Kin].History;
      if (Knows || !HasHistory || T.Through != Alias::None || T.Dirty >= 0 ||
          !overlap(T.Where, Before.Where))
        continue;
      Tensor &Now = S.Tensors.edit(Other);
      Now.Dirty = static_cast<int>(Index);
      Now.DirtyMemory = Before.Memory;
    }
  if (Track && S.Tensors[X.T].Dirty >= 0 && Spec.Overwrites && !Part)
    S.Tensors.edit(X.T).Dirty = -1; // the old content is gone, and the history with it
  S.GradMode = GradMode;
  return true;
}

NodeId AbstractTorch::baseHistory(const Tensor &View) {
  for (TensorId Other : S.Storages[View.Memory].Tensors) {
    const Tensor &T = S.Tensors[Other];
    if (T.Kin == View.Kin && !T.IsView)
      return T.History;
  }
  return {};
}

void AbstractTorch::saveInputsOfWrite(NodeId N, const facts::OpFact &Op,
                                      const std::vector<Argument> &Arguments, int Mutated) {
  std::vector<std::vector<Operand>> NoResults;
  saveFor(N, Op, Arguments, NoResults, Mutated);
}

void AbstractTorch::saveResultsOfWrite(NodeId N, const facts::OpFact &Op,
                                       const std::vector<Argument> &Arguments, int Mutated,
                                       TensorId Result) {
  for (const facts::Saved &Rule : Op.Saves) {
    bool Applies = Rule.What == facts::Saved::Output && Rule.GradientOf >= 0 &&
                   Rule.GradientOf < static_cast<int>(Arguments.size());
    if (!Applies)
      continue;
    bool Needed = Rule.GradientOf == Mutated;
    for (const Operand &X : Arguments[Rule.GradientOf].Tensors)
      Needed |= requiresGrad(X.T);
    if (Needed) {
      save(N, Result, true, {Rule.GradientOf}, !Rule.Always);
      return;
    }
  }
}

void AbstractTorch::rawWrite(Operand T, const std::string &Operation,
                             const std::vector<Operand> &Sources, Site At) {
  if (!T.T)
    return;
  WriteSpec Spec;
  Spec.Operation = Operation;
  Spec.Sources = Sources;
  Spec.Versioned = false;
  write(T, Spec, At);
}

/// mark_dirty(): for autograd the whole function is one in-place operation on this input
/// (custom_function.cpp, get_and_bump_dirty() and rebase_history()); what forward() wrote into it is
/// part of that.
bool AbstractTorch::markDirty(const FunctionCall &Call, size_t Input, Site At) {
  const Operand &X = Call.Inputs[Input];
  WriteSpec Spec;
  Spec.Operation = Call.Name;
  Spec.Mutated = static_cast<int>(Input);
  Spec.Overwrites = !Call.Reached[Input];
  for (size_t I = 0; I < Call.Inputs.size(); ++I)
    if (I != Input && Call.Reached[I] && Call.Inputs[I].T)
      Spec.Sources.push_back(Call.Inputs[I]);
  for (TensorId Other : S.Storages[S.Tensors[X.T].Memory].Tensors)
    if (const Tensor &T = S.Tensors[Other];
        T.Kin == S.Tensors[X.T].Kin && T.Dirty >= static_cast<int>(X.Seen) &&
        T.DirtyMemory == S.Tensors[X.T].Memory)
      S.Tensors.edit(Other).Dirty = -1;
  return write(bind(X.T), Spec, At);
}

void AbstractTorch::optimizerWrite(TensorId P, bool Bumps, Site At) {
  WriteSpec Spec;
  Spec.Operation = "step";
  Spec.Kind = WriteKind::Optimizer;
  Spec.Versioned = Bumps;
  write(bind(P), Spec, At);
}

void AbstractTorch::setData(Operand X, Operand Source, Site At) {
  if (!X.T || !Source.T)
    return;
  // The tensor keeps its identity, counter and history; its content is another's from here on. A
  // saved leaf is the tensor itself, so backward reads the new content.
  WriteSpec Spec;
  Spec.Operation = "set_data";
  Spec.Versioned = false;
  const Alias Old = S.Tensors[X.T].Through;
  S.Tensors.edit(X.T).Through = Alias::Data;
  S.Tensors.edit(X.T).AliasMade = At;
  write(X, Spec, At);
  stepsByHand(S.Tensors[X.T].Memory, {Source}, At);
  Tensor &T = S.Tensors.edit(X.T);
  T.Through = Old;
  StorageId M = S.Tensors[Source.T].Memory;
  T.Memory = M;
  S.Storages.edit(M).Tensors.push_back(X.T);
  ++S.Effects;
}

void AbstractTorch::detachInPlace(Operand X, Site At) {
  if (!X.T || S.InferenceMode) // autograd's kernel, which does it, is passed over in inference mode
    return;
  if (S.Tensors[X.T].IsView && !S.Tensors[X.T].Untracked && !Repaired.count(At.Number)) {
    Defect D{DefectKind::ViewDetached, Outcome::Throws, At, "detach_() on a view",
             {{S.Tensors[X.T].Made, "the view is made here"}}};
    D.InPlace = true;
    D.Operation = "detach_";
    raise(std::move(D));
    return;
  }
  if (!requiresGrad(X.T) || Repaired.count(At.Number))
    return;
  Dependences D = dependences(X.T);
  ++S.Effects;
  FamilyId F = S.Families.add({});
  S.Families.edit(F).Base = X.T;
  for (auto &[P, E] : D)
    if (E.Status == Dependence::Live) {
      E.Status = Dependence::Cut;
      E.At = At;
      E.How = "detach_()";
      E.InPlace = true;
      E.By = CutBy::Alias;
    }
  Tensor &T = S.Tensors.edit(X.T);
  T.History = {};
  T.LeafRequiresGrad = false;
  T.Kin = F;
  T.Dirty = -1;
  T.FamilyVersion = 0;
  T.Depends = std::make_shared<const Dependences>(std::move(D));
  T.DetachedAt = At;
}

void AbstractTorch::askHistory(Operand X, Site At) {
  if (!X.T)
    return;
  historyOf(X.T);
  if (Raised)
    S.Defects.back().Chain.push_back({At, "its history is asked for here"});
}

void AbstractTorch::resultIsBound(Operand Seen, Site At) {
  if (!Seen.T)
    return;
  StorageId M = S.Tensors[Seen.T].Memory;
  for (size_t I = S.Storages[M].Writes.size(); I-- > Seen.Seen;) {
    const Write &W = S.Storages[M].Writes[I];
    if (!(W.At == At) && !(W.CalledAt == At))
      continue;
    S.Storages.edit(M).Writes[I].Rebinds = true;
    return;
  }
}

void AbstractTorch::setRequiresGrad(Operand X, bool On, Site At, bool Checked) {
  if (!X.T)
    return;
  const Tensor &T = S.Tensors[X.T];
  auto Refuse = [&](std::string Message) {
    Defect D{DefectKind::FlagRefused, Outcome::Throws, At, std::move(Message), {}};
    D.Chain.push_back({T.Made, "the tensor is made here"});
    D.Chain.push_back({At, "requires_grad is changed here"});
    raise(std::move(D));
  };
  // python_variable_methods and VariableHooks::requires_grad_(): set_requires_grad() does not ask.
  if (Checked && !On && !isLeaf(X.T) && !T.Untracked && !Repaired.count(At.Number))
    return Refuse("requires_grad_(false) on a tensor with a history, which only detach() takes away");
  if (On && T.Integral && !T.Untracked && !Repaired.count(At.Number))
    return Refuse("requires_grad is asked of a tensor of an integral type");
  if (T.History)
    return; // nothing to do when switched on
  // TensorImpl::set_requires_grad() asks whether or not the flag changes.
  if (On && T.Inference && !S.InferenceMode && !T.Untracked && !Repaired.count(T.Made.Number)) {
    Defect D{DefectKind::InferenceTensor, Outcome::Throws, T.Made,
             "requires_grad is asked of a tensor that was made in inference mode"};
    D.Chain.push_back({T.Made, "the tensor is made in inference mode here"});
    D.Chain.push_back({At, "requires_grad is switched on here"});
    raise(std::move(D));
    return;
  }
  if (T.LeafRequiresGrad == On)
    return;
  ++S.Effects;
  Tensor &Changed = S.Tensors.edit(X.T);
  Changed.LeafRequiresGrad = On;
  if (!On)
    Changed.UnfrozenAt = {};
  else if (S.Stepped && Changed.EverReached == Reach::Never)
    Changed.UnfrozenAt = At;
}

std::vector<ChainEvent> AbstractTorch::chainOfWrite(const Write &W) const {
  std::vector<ChainEvent> Chain;
  if (W.Through != Alias::None && !(W.AliasMade == W.At))
    Chain.push_back({W.AliasMade, W.Through == Alias::Detach
                                      ? "the alias is made here; it shares storage and version counter"
                                  : W.Through == Alias::Data
                                      ? "the alias is made here; it shares storage, not the version counter"
                                      : "the raw pointer is taken here"});
  if (W.CalledAt)
    Chain.push_back({W.At, "in-place is asked for here"});
  Chain.push_back({W.CalledAt ? W.CalledAt : W.At, describe(W) + " writes here"});
  return Chain;
}

/// Who else holds the memory behind autograd's back, and sees the write: the alias kept for
/// logging belongs to the story of the write, though it harms nothing itself.
std::vector<ChainEvent> AbstractTorch::otherAliases(StorageId Memory, const Write &W) const {
  std::vector<ChainEvent> Chain;
  for (TensorId Other : S.Storages[Memory].Tensors) {
    const Tensor &T = S.Tensors[Other];
    bool Seen = !T.AliasMade || T.AliasMade == W.AliasMade || T.AliasMade == W.At;
    for (const ChainEvent &E : Chain)
      Seen |= E.At == T.AliasMade;
    if (Seen || T.Through == Alias::None || T.Memory != Memory)
      continue;
    Chain.push_back({T.AliasMade, "an alias of the same memory is made here; its content changes "
                                  "with the write"});
    if (Chain.size() == 3)
      break;
  }
  return Chain;
}

bool AbstractTorch::writesLeaf(StorageId Memory) const {
  for (TensorId Other : S.Storages[Memory].Tensors)
    if (S.Tensors[Other].LeafRequiresGrad)
      return true;
  return false;
}

std::string AbstractTorch::describeWrite(const Write &W) const { return describe(W); }

} // namespace torch_tidy::autograd
