// torch::autograd::Function of the user's own: forward and backward as one node of the tape.
#include "interpreter/Interpreter.h"

#include "clang/AST/DeclTemplate.h"
#include "clang/AST/Expr.h"

using namespace clang;

namespace torch_tidy::model {

/// Note [Custom functions]
/// Function<T>::apply(args...) runs T::forward(ctx, args...) with gradients off and makes one node
/// between the tensors among its arguments and what it returns (custom_function.h). The node saves
/// what forward gave to save_for_backward(), and looks at it again where T::backward asks for
/// get_saved_variables(). T::backward is run once at the place of apply(), in a copy of the state
/// that is thrown away, to learn whether it asks and which gradients it gives back: an undefined
/// one ends that path (CppNode::apply).
std::optional<CellId> Interpreter::customFunction(Call &C) {
  QualType Argument = C.Method ? Types::firstTemplateArgument(C.Method->getParent()) : QualType();
  const CXXRecordDecl *T = Argument.isNull() ? nullptr : Argument->getAsCXXRecordDecl();
  if (!T || !T->hasDefinition() || !isUser(T))
    return std::nullopt;
  const CXXMethodDecl *Forward = nullptr, *Backward = nullptr;
  for (const CXXMethodDecl *M : T->getDefinition()->methods()) {
    if (!M->getDeclName().isIdentifier())
      continue;
    if (M->getName() == "forward")
      Forward = M;
    if (M->getName() == "backward")
      Backward = M;
  }
  const FunctionDecl *Body = nullptr;
  if (!Forward || !Forward->getBody(Body))
    return std::nullopt;
  bool HasContext =
      Forward->getNumParams() > 0 &&
      Forward->getParamDecl(0)->getType()->isPointerType();
  if (!HasContext)
    return std::nullopt;

  ObjectId Context = object(Object::Record, "AutogradContext");
  CellId Saved = cell(Value::object(object(Object::Sequence)));
  CellId Data = cell(Value::object(object(Object::Map)));
  CellId Asked = cell(Value::integer(0)), Unusual = cell(Value::integer(0));
  CellId Dirty = cell(Value::object(object(Object::Sequence)));
  CellId NotDifferentiable = cell(Value::object(object(Object::Sequence)));
  autograd::AbstractTorch::FunctionCall F;
  F.Name = T->getNameAsString();
  ObjectId Needed = object(Object::Sequence);
  std::vector<CellId> NeededElements;
  for (CellId A : C.Arguments)
    for (const Operand &X : tensorsIn(get(A))) {
      F.Inputs.push_back(Torch.bind(X.T));
      NeededElements.push_back(cell(Value::integer(Torch.requiresGrad(X.T))));
    }
  P.Objects.edit(Needed).Elements = std::move(NeededElements);
  P.Objects.edit(Context).Fields = {{"saved", Saved},
                                    {"saved_data", Data},
                                    {"asked", Asked},
                                    {"unusual", Unusual},
                                    {"dirty", Dirty},
                                    {"not differentiable", NotDifferentiable},
                                    {"needed", cell(Value::object(Needed))}};
  CellId ContextCell = cell(Value::object(Context));

  const bool Mode = Torch.S.GradMode;
  auto WithoutGradients = [&](auto Run) {
    Torch.S.GradMode = false;
    try {
      Run();
    } catch (...) {
      Torch.S.GradMode = Mode;
      throw;
    }
    Torch.S.GradMode = Mode;
  };
  std::vector<CellId> Args{ContextCell};
  Args.insert(Args.end(), C.Arguments.begin(), C.Arguments.end());
  CellId Result;
  WithoutGradients([&] { Result = enter(Forward, {}, Args); });
  F.Results = tensorsIn(get(Result));
  F.Kept = tensorsIn(get(Saved));
  for (const Operand &X : tensorsIn(get(Dirty)))
    F.Dirty.push_back(X.T);
  for (const Operand &X : tensorsIn(get(NotDifferentiable)))
    F.NotDifferentiable.push_back(X.T);

  // Which inputs get a gradient: all, unless backward says otherwise.
  F.Reached.assign(F.Inputs.size(), true);
  if (Mode && Backward && Backward->getBody(Body)) {
    const ProgramState Before = snapshot();
    ObjectId Gradients = object(Object::Sequence);
    std::vector<CellId> Elements;
    for (size_t I = 0; I < std::max<size_t>(1, F.Results.size()); ++I)
      Elements.push_back(cell(Value::tensor(Torch.bind(Torch.leaf(C.At, "gradient", false)))));
    P.Objects.edit(Gradients).Elements = std::move(Elements);
    CellId Given;
    bool Raised = false;
    try {
      WithoutGradients([&] { Given = enter(Backward, {}, {ContextCell, cell(Value::object(Gradients))}); });
    } catch (ProgramException &) {
      Raised = true;
    }
    const Value V = Given ? get(Given) : Value();
    if (V.isObject() && P.Objects[V.O].K == Object::Sequence && !P.Objects[V.O].Open) {
      // One gradient per argument of forward, tensor or not.
      const std::vector<CellId> Back = P.Objects[V.O].Elements;
      size_t Tensor = 0;
      for (size_t I = 0; I < C.Arguments.size() && I < Back.size(); ++I) {
        size_t Count = tensorsIn(get(C.Arguments[I])).size();
        const Value G = get(Back[I]);
        if (Count == 1 && Tensor < F.Reached.size() && G.isTensor() && !G.T.T)
          F.Reached[Tensor] = false;
        Tensor += Count;
      }
    }
    bool Asks = Raised || known(get(Asked)).value_or(true);
    restore(Before);
    if (!Asks)
      F.Kept.clear();
  }
  if (known(get(Unusual)).value_or(true)) {
    untracked("custom function with an unknown context");
    return cell(Value::tensor(Torch.callUnknown(F.Name, F.Inputs, C.At)));
  }
  Torch.callFunction(F, C.At);
  checkThrown();
  // An input that was returned is another tensor outside.
  const Value Returned = get(Result);
  if (Returned.K == Value::Tensor && F.Results.size() == 1)
    return cell(Value::tensor(F.Results[0]));
  if (Returned.isObject() && P.Objects[Returned.O].Elements.size() == F.Results.size())
    for (size_t I = 0; I < F.Results.size(); ++I)
      if (CellId Element = P.Objects[Returned.O].Elements[I]; get(Element).K == Value::Tensor)
        set(Element, Value::tensor(F.Results[I]));
  return Result;
}

/// Methods of AutogradContext, on the record that customFunction() made.
std::optional<CellId> Interpreter::autogradContextCall(Call &C) {
  if (!C.Self || !get(C.Self).isObject() || P.Objects[get(C.Self).O].Name != "AutogradContext")
    return std::nullopt;
  ObjectId O = get(C.Self).O;
  auto Saved = P.Objects[O].field("saved");
  if (!Saved)
    return std::nullopt;
  if (C.Name == "save_for_backward" && !C.Arguments.empty()) {
    set(*Saved, copy(get(C.Arguments[0])));
    return cell();
  }
  if (C.Name == "get_saved_variables") {
    set(*P.Objects[O].field("asked"), Value::integer(1));
    return *Saved;
  }
  if ((C.Name == "mark_dirty" || C.Name == "mark_non_differentiable") && !C.Arguments.empty()) {
    set(*P.Objects[O].field(C.Name == "mark_dirty" ? "dirty" : "not differentiable"),
        copy(get(C.Arguments[0])));
    return cell();
  }
  if (C.Name == "set_materialize_grads") // how a missing gradient comes in, not which go out
    return cell();
  if (C.Name == "needs_input_grad") {
    const std::vector<CellId> Needed = P.Objects[get(*P.Objects[O].field("needed")).O].Elements;
    Value Index = C.Arguments.empty() ? Value() : get(C.Arguments[0]);
    if (Index.K == Value::Integer && Index.I >= 0 && static_cast<size_t>(Index.I) < Needed.size())
      return cell(get(Needed[Index.I]));
    return cell(fresh());
  }
  set(*P.Objects[O].field("unusual"), Value::integer(1));
  return cell(externalValue(C.ResultType, C.At, C.Name.str()));
}

} // namespace torch_tidy::model
