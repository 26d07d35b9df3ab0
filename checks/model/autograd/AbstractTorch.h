// The abstract LibTorch: what operators, writes, guards, backward() and optimizer steps do to
// storages, version counters and the tape, without a single number being computed.
//
// Sources of the rules: torch/csrc/autograd (VariableTypeUtils.h check_inplace, saved_variable.cpp
// unpack, variable.cpp rebase_history and CopySlices), and the fact tables, which are measured.
#pragma once

#include "autograd/State.h"
#include "facts/FactTable.h"

#include <optional>
#include <set>

namespace torch_tidy::autograd {

/// A tensor as some variable of the program holds it.
struct Operand {
  TensorId T;        ///< invalid: an undefined tensor
  uint32_t Seen = 0; ///< number of writes to its storage when the handle was bound
  bool Named = false; ///< a variable of the user's holds it (rather than the end of an expression)
  bool Kept = false; ///< a second name, copied from a variable that goes on: see Note [Old handles]
};

/// The value of one argument of an operator.
struct Argument {
  std::vector<Operand> Tensors; ///< one, or the elements of a list
  std::optional<double> Constant;
  /// For a number: the detached tensors that it was computed from.
  std::vector<Operand> Numbers;
  bool Given = false; ///< by the program, rather than left to its default
};

struct CallOptions {
  unsigned ListSize = 2;               ///< elements of a list that is returned
  bool Unreduced = false;              ///< a loss that is asked to keep its elements
  bool ToIntegral = false;             ///< the result has a dtype that cannot require grad
  bool Copies = false;                 ///< a conversion that is known to make a copy
  WriteKind Writer = WriteKind::User;  ///< for in-place operators
  Site WriteAt;                        ///< what to change to stop the write, if not the call
  std::optional<Region> Part;          ///< for views: which part, where that is known
};

class AbstractTorch {
public:
  explicit AbstractTorch(const facts::FactTable &Facts) : Facts(&Facts) {}

  State S;
  /// Culprits whose repair is assumed: a write there is done out of place, so that what follows
  /// shows the other defects. See Note [Leave one out].
  std::set<uint32_t> Repaired;
  /// The user's function that is being run.
  std::shared_ptr<const CallFrame> Frame;
  /// A run without repairs begins a new sequence of them.
  void startRepairs() {
    if (Repaired.empty()) {
      DetachedReads.clear();
      DetachedNodes.clear();
    }
  }

  //===--- making tensors ------------------------------------------------------------------===//

  /// A fresh leaf on a fresh storage.
  TensorId leaf(Site At, std::string MadeBy, bool RequiresGrad);
  /// A tensor whose provenance is unknown: never the reason of a finding.
  TensorId untracked(Site At, std::string Why);
  /// Declares the content of a fresh tensor to be zero.
  void markZero(TensorId T, Site At);
  TensorId detached(Operand T, Alias How, Site At, const std::string &Name = "",
                    CutBy By = CutBy::Alias);
  /// The value of a number that was read from tensors: one element without history that depends on
  /// what they depend on. Several origins are merged into one.
  Operand number(const std::vector<Operand> &From, Site At);
  /// What torch::autograd::grad() returns for one input.
  /// Notes that the value is used; see Suspicion::Unread.
  void read(TensorId T);
  unsigned long now() const { return Clock; }
  void forgetReads() { ReadAt.clear(); }
  /// From here on, a value computed from T may be wrong because of D.
  void suspect(TensorId T, Suspicion D);
  /// D needs no loss to be a defect.
  void accuse(Suspicion D);
  /// Whether a value computed from T carries the suspicion of this number.
  bool carries(TensorId T, uint32_t Suspicion) const;
  void withdraw(TensorId T, uint32_t Suspicion);
  /// A tensor on memory of the program's, on the storage of an earlier one (if any).
  TensorId blob(StorageId Memory, Site At);
  void fillAnew(StorageId Memory, Site At);
  /// The gradient of T, which has none, is used.
  void useMissingGradient(Site Asked, Site Used);
  Operand gradientValue(Operand Output, Operand Input, bool CreateGraph, Site At);

  /// A handle bound now.
  Operand bind(TensorId T) const;

  bool requiresGrad(TensorId T) const;
  bool isLeaf(TensorId T) const;
  uint32_t version(TensorId T) const;
  /// What the value depends on; a parameter depends on itself.
  Dependences dependences(TensorId T) const;

  //===--- operators -----------------------------------------------------------------------===//

  /// Calls an operator. Arguments are aligned with Op.Arguments (missing ones may be left out at
  /// the end). Returns one operand list per output of the schema.
  /// A defect that raises at once is recorded and thrown() becomes true; the results are then empty.
  std::vector<std::vector<Operand>> call(const facts::OpFact &Op,
                                         const std::vector<Argument> &Arguments, Site At,
                                         const CallOptions &Options = {});

  /// An operator of which nothing is known but its operands: differentiable, saves nothing that
  /// could be reported, result untracked. Opaque: it may know parameters that are no operands.
  Operand callUnknown(const std::string &Name, const std::vector<Operand> &Operands, Site At,
                      bool Opaque = false);

  /// A node of a library module with parameters: see facts::ModuleFact. Inputs and parameters as
  /// the module fact orders them. Outputs share one node.
  std::vector<Operand> callModule(const facts::ModuleFact &Module, bool Training, bool InPlace,
                                  const std::vector<Operand> &Inputs,
                                  const std::vector<Operand> &Parameters, unsigned Outputs,
                                  Site At, const CallOptions &Options);

  /// What a function of the program's own did, and told its context.
  struct FunctionCall {
    std::string Name;
    std::vector<Operand> Inputs;  ///< bound before forward() ran
    std::vector<bool> Reached;    ///< per input: backward() gives it a gradient
    std::vector<Operand> Kept;    ///< what it saved, if backward() looks at it
    std::vector<Operand> Results;
    std::vector<TensorId> Dirty, NotDifferentiable; ///< as marked
  };
  /// A node of the program's own (torch::autograd::Function). Of an input that was returned unmarked
  /// the result is a view, in Call.Results afterwards.
  void callFunction(FunctionCall &Call, Site At);

  /// A write that is no operator: through a pointer, accessor or buffer.
  void rawWrite(Operand T, const std::string &Operation, const std::vector<Operand> &Sources,
                Site At);
  void setData(Operand T, Operand Source, Site At);
  void detachInPlace(Operand T, Site At);
  /// set_requires_grad(); Checked: requires_grad_(), which refuses to switch it off where there is
  /// a history.
  void setRequiresGrad(Operand T, bool On, Site At, bool Checked = false);
  /// grad_fn(): a view whose base was written since makes its history anew, or cannot.
  void askHistory(Operand T, Site At);
  /// The last write through Seen's name gave the variable its new value: `h = h.tanh_()`.
  void resultIsBound(Operand Seen, Site Write);

  /// The variable or member that holds the leaf Old is given New instead: `w = w / w.norm()`. See
  /// Note [Rebinding].
  void rebind(TensorId Old, Operand New, Site At);

  //===--- training ------------------------------------------------------------------------===//

  /// Which leaves a backward() accumulates into.
  struct Into {
    bool Gradients = true;         ///< false: torch::autograd::grad()
    std::vector<TensorId> Only;    ///< the `inputs` argument; empty: all
  };
  void backward(Operand Root, bool RetainGraph, Site At) { backward(Root, RetainGraph, At, Into()); }
  void backward(Operand Root, bool RetainGraph, Site At, const Into &Where);
  /// The optimizer built at At holds T. A tensor that is no leaf raises.
  void holdParameter(TensorId T, Site At = {});
  Site madeForOptimizer(const Tensor &X) const;
  /// Bumps: whether this optimizer's step() goes through the version counter (all but SGD do). By:
  /// the optimizer's number.
  void step(const std::vector<TensorId> &Parameters, bool Bumps, Site At, uint32_t By = 0);
  /// Guarded: under a condition.
  void zeroGrad(const std::vector<TensorId> &Parameters, bool SetToNone, Site At = {},
                bool Guarded = false);
  /// What grad() gives: an undefined operand, or a tensor of its own.
  Operand gradOf(TensorId T, Site At);
  /// mutable_grad() = Value.
  void setGrad(TensorId T, Operand Value, Site At);
  /// clip_grad_norm_() and its kin.
  void clip(const std::vector<Operand> &Parameters, Site At);
  /// The gradient of P is multiplied by a number, or divided.
  void rescaleGradient(TensorId P, const Factor &By, Site At);
  /// It holds what a backward() of a scaled loss gave (~0: of any GradScaler), and is not unscaled.
  bool holdsScaled(TensorId P, uint32_t Scale) const;
  /// Autocast forgets the casts that it kept.
  void clearCasts();
  /// A GradScaler raises.
  void misuseScaler(std::string Message, Site At, Site Before = {});
  /// An optimizer of the program's own; Number is its number in step().
  void madeOptimizer(uint32_t Number, const std::vector<TensorId> &Held, Site At);
  /// A variable (numbered in order of their making), or ~0 for a fresh one, now holds T.
  void keep(TensorId T, uint32_t Variable, Site At);

  /// What the user calls it: the variable, the registered name, or the operation that made it.
  const std::string &nameOf(TensorId T) const;
  /// Why grad() is undefined after a backward, where that is because the leaf was lost: what is
  /// asked was computed from a leaf that nobody keeps, or took the place of a parameter.
  std::optional<Defect> lostGradient(TensorId T, Site Asked) const;
  /// ... or because what is asked is a copy, or an alias, of a parameter, to which the gradient went.
  /// None if the parameter is trained after all (Defect::Untrained).
  std::optional<Defect> gradientOfOther(TensorId T, Site Asked) const;
  /// Some optimizer holds it, or the program itself steps it with its gradient.
  bool isTrained(TensorId T) const;

  /// More than one backward() added to its gradient, which nobody cleared.
  bool isReachedAnew(TensorId T) const;
  /// torch::autograd::grad() was asked for a derivative by it that has a graph.
  bool isDifferentiated(TensorId T) const;

  /// At the end of the program, or where an exception left it: the order of steps and clears.
  void judgeTraining(bool Ended);
  /// At the end of the program: parameters that some optimizer holds and that no backward reached.
  void finish();
  /// Those that some backward reached with a gradient, named as in Defect::Losers.
  std::vector<std::string> reachedParameters() const;

  /// An exception was raised by the last operation.
  bool thrown() const { return Raised; }
  void catchException() { Raised = false; }

  const facts::FactTable &facts() const { return *Facts; }

private:
  struct WriteSpec;
  // How Repaired graphs are repaired: by a detach() of what is read there, of all that comes from
  // there.
  std::set<uint32_t> DetachedReads, DetachedNodes;
  const facts::FactTable *Facts;
  bool Raised = false;
  /// When each storage was last read. Not part of the state: what a branch that was tried out read
  /// may have been read.
  std::vector<unsigned long> ReadAt;
  unsigned long Clock = 1;
  void mergeSuspects(TensorId Into, const Operand &From);
  void arrive(TensorId T, ChainEvent By, bool AtWeights = false);

  TensorId add(Tensor T);
  TensorId viewOf(Operand Base, Site At, std::string Name, bool Multi, const Region &Part);
  NodeId historyOf(TensorId T);
  bool hasGradientEdge(TensorId T);
  bool passesAutogradBy(const std::vector<Argument> &Arguments) const;
  NodeId addNode(std::string Operation, Site At);
  /// An edge to where From comes from; Zero tells why nothing flows along it, if so.
  void connect(NodeId N, Operand From, int Argument, const ZeroCause *Zero = nullptr);
  void save(NodeId N, TensorId T, bool IsResult, std::vector<int> NeededFor, bool Perhaps,
            int Argument = -1);
  void noteOperand(NodeId N, const Operand &From);
  int surprisingWrite(const Operand &From, std::string_view Reader) const;
  void suspectOldHandle(const Operand &Result, const Operand &From, const std::string &Reader, Site At);
  void mergeDependences(TensorId Into, const Operand &From, bool Cut, Site At,
                        const std::string &How, Alias Through, bool InPlace,
                        CutBy By = CutBy::Operator, NodeId Source = {});
  void mergeTerms(TensorId Into, std::string_view Operator,
                  const std::vector<std::pair<int, Operand>> &Operands, Site At);
  bool isScalar(const facts::OpFact &Op, const std::vector<Argument> &Arguments,
                const CallOptions &Options) const;
  std::vector<TensorId> optimised() const;
  std::string placeOf(TensorId Parameter) const;
  TensorId leafBehind(TensorId T) const;
  void setHistory(TensorId T, NodeId N);
  bool isZero(TensorId T) const;
  const Bounds &boundsOf(TensorId T) const;
  void noteBounds(const facts::OpFact &Op, const std::vector<Argument> &Arguments,
                  const std::vector<std::vector<Operand>> &Results);
  bool isCopyOf(TensorId T, TensorId Leaf) const;
  const ZeroCause &whyZero(TensorId T) const;
  bool matters(StorageId M) const;
  void callInPlace(const facts::OpFact &Op, const std::vector<Argument> &Arguments, Site At,
                   const CallOptions &Options);
  void saveFor(NodeId N, const facts::OpFact &Op, const std::vector<Argument> &Arguments,
               const std::vector<std::vector<Operand>> &Results, int InPlaceArgument);
  bool write(Operand T, const WriteSpec &Spec, Site At);
  bool refuseWrite(Operand T, const WriteSpec &Spec, bool Tracked, Site At);
  bool markDirty(const FunctionCall &Call, size_t Input, Site At);
  void isolate(TensorId T);
  void raise(Defect D);
  void record(Defect D);
  NodeId baseHistory(const Tensor &View);
  void saveInputsOfWrite(NodeId N, const facts::OpFact &Op, const std::vector<Argument> &Arguments,
                         int Mutated);
  void saveResultsOfWrite(NodeId N, const facts::OpFact &Op,
                          const std::vector<Argument> &Arguments, int Mutated, TensorId Result);
  void optimizerWrite(TensorId P, bool Bumps, Site At);
  Site entryOf(NodeId Reader, NodeId Maker) const;
  /// Border: the node that Via reads, Freed or what was computed from it before it was freed.
  Defect walkedTwice(NodeId Freed, NodeId Border, NodeId Via, TensorId Kept, Site Backward) const;
  GradientLife life(TensorId T) const;
  void setLife(TensorId T, GradientLife Life);
  void mergeGradientSources(TensorId Into, const Operand &From);
  void addShare(TensorId Leaf, uint32_t Walk);
  void clearGradient(TensorId T, Site At, bool Guarded);
  void useGradient(TensorId T, uint32_t By, Site At);
  void noteScaledStep(const GradientLife &L, uint32_t By, Site At);
  void judgeLeftover(const GradientLife &L, uint32_t By, Site At);
  void gradientWritten(TensorId Owner, bool Zeroes, bool Overwrites, Site At);
  void stepsByHand(StorageId Memory, const std::vector<Operand> &Sources, Site At);
  void settleSuspicions(uint32_t Walk, NodeId Root);
  void acquit(DefectKind Kind, Site Subject);
  void castUnderAutocast(const std::string &Name, const std::vector<Argument> &Arguments, Site At);
  void addSuspicion(OrderSuspicion Q);
  void noteLostDependences(Operand Root, Site At);
  void noteTerms(Operand Root);
  // Targets.cpp
  void judgeTargets(Operand Root, Site At);
  void judgeUnused();
  void judgeForgotten(const Tensor &Term, const std::set<TensorId> &Leaves);
  // Identity.cpp
  void noteOldWeights(NodeId Old, TensorId Leaf, Site Backward);
  void blameRebinding(Defect &D, const std::vector<NodeId> &Walked) const;
  bool finishRebound(TensorId P);
  void finishRebindings();
  std::string describeWrite(const Write &W) const;
  std::vector<ChainEvent> chainOfWrite(const Write &W) const;
  std::vector<ChainEvent> otherAliases(StorageId Memory, const Write &W) const;
  bool writesLeaf(StorageId Memory) const;
  Defect savedOverwritten(const Node &N, const SavedValue &V, Site Backward) const;
  Defect changedBehind(const Node &N, StorageId Memory, unsigned WriteIndex, DefectKind Kind,
                       Site Backward) const;
};

} // namespace torch_tidy::autograd
