// What the abstract LibTorch remembers: storages and their writes, version counters, tensors, the
// tape, gradients, and the thread's grad mode. Plain values; the rules are in AbstractTorch.h.
#pragma once

#include "autograd/Arena.h"
#include "autograd/Bounds.h"
#include "autograd/Outcome.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace torch_tidy::autograd {

/// A place in the user's program. The number means something to the caller alone (0: none).
struct Site {
  uint32_t Number = 0;
  /// Reached under a decision that was not forced: what follows from it holds on some paths only.
  bool Conditional = false;
  explicit operator bool() const { return Number != 0; }
  bool operator==(const Site &O) const { return Number == O.Number; }
};

/// The calls that are open: the place of the innermost, and those around it.
struct Trail {
  Site Call;
  std::shared_ptr<const Trail> Outer;
  unsigned Depth = 1;
};
using TrailPtr = std::shared_ptr<const Trail>;

/// Note [Order is decided where both are called]
/// What is wrong with the order of two events cannot be repaired inside a helper that does only one
/// of them: it is repaired in the function that both were called from. Brings A, which happened
/// under From, to the innermost function that B's calls went through as well.
Site inCommon(Site A, TrailPtr From, TrailPtr With);

using StorageId = Id<struct StorageTag>;
using CounterId = Id<struct CounterTag>;
using FamilyId = Id<struct FamilyTag>;
using TensorId = Id<struct TensorTag>;
using NodeId = Id<struct NodeTag>;

/// Which part of a storage a view covers: constant select() indices from the outside in, -1 where
/// the index is not known. Two regions overlap unless they differ at a known index.
using Region = std::vector<int>;
/// Elements of chunk(), split() and unbind() are numbered from here.
constexpr int FirstChunk = 1 << 20;
bool overlap(const Region &A, const Region &B);

/// How a handle came to reach its storage behind autograd's back.
enum class Alias : uint8_t {
  None,
  Detach,     ///< detach(), tensor_data(): shares the version counter
  Data,       ///< data(), variable_data(): does not
  RawPointer, ///< data_ptr, accessor, from_blob
};

/// Why a gradient is zero.
struct ZeroCause {
  Site At;
  std::string How; ///< operation
  Alias Through = Alias::None;
  bool InPlace = false; ///< because something was written
  bool Operator = false; ///< because the operator's derivative is zero everywhere
  bool operator==(const ZeroCause &) const = default;
};

enum class WriteKind : uint8_t {
  User,
  Activation, ///< an activation called with inplace(true)
  Optimizer,
};

/// Note [What a write does]
/// A write changes the content of a storage and may bump a version counter, independently of each
/// other: in-place operators do both; writes through data(), raw pointers and set_data() change
/// the content alone; SGD::step() in C++ goes through data() too. A saved variable compares its
/// counter, so the second kind escapes it. Every write is kept, because the line of the write is
/// what the user must change.
struct Write {
  Site At;               ///< what to change to stop it
  Site CalledAt;         ///< where it happens, when that is another place (an option's user)
  WriteKind Kind = WriteKind::User;
  Alias Through = Alias::None;
  Site AliasMade;     ///< where that alias was made
  bool Versioned = true;
  bool Tracked = false;  ///< recorded on the tape
  bool UnderNoGrad = false;
  bool ShiftOnly = false; ///< adds a value without history: its Jacobian is the identity
  bool Zeroes = false;    ///< the written region holds zeros afterwards
  bool Uniform = false;   ///< adds one number to all elements of the tensor
  bool KeepsSigns = false;  ///< changes no sign: scales by a positive number
  bool SameContent = false; ///< writes what was there: a rectifier after a rectifier
  bool ByKept = false;    ///< through a second name: meant for whoever else reads the tensor
  bool Rebinds = false;   ///< its result is the new value of the variable it went through
  Region Where;
  std::string Operation; ///< "mul_", "index_put_", "step"
  bool operator==(const Write &) const = default;
};

/// Note [Suspicions]
/// A write that went into a temporary, or memory that was filled anew under a stored tensor, harms
/// only if a value that should be another one gets to a loss. So such a defect is first a
/// suspicion on a storage: every value that is computed from it afterwards carries the suspicion,
/// as it carries what it depends on, and the defect is one when a backward() starts from such a
/// value. What was written in vain may have been a copy that somebody reads after all: then it was
/// not in vain (Unread).
struct Suspicion;
using Suspicions = std::vector<uint32_t>; ///< positions in State::Suspected, sorted

struct Storage {
  std::vector<Write> Writes;
  std::vector<TensorId> Tensors; ///< every handle on it
  std::shared_ptr<const Suspicions> Suspects;
  Site InferenceAt; ///< made in inference mode: who switched it on
  /// Memory of the program's that from_blob() was given: how much had been written when the last
  /// tensor was made on it.
  int LastBlob = -1;
  bool Saved = false;            ///< some node saved it, ever
  TensorId GradientOf;           ///< it is the gradient of this leaf
  bool Zero = false;             ///< known to be all zero now
  Bounds Holds;                  ///< between which numbers all of it is known to lie now
  ZeroCause WhyZero;
  bool operator==(const Storage &) const = default;
};

struct Counter {
  bool None = false; ///< an inference tensor has none: who would bump it outside of the mode raises
  std::vector<std::pair<StorageId, uint32_t>> Bumps; ///< version == size; who bumped it
  bool operator==(const Counter &) const = default;
};

/// A base tensor and its differentiable views: an in-place write through one of them rebases the
/// history of all (autograd's CopySlices).
struct Family {
  NodeId History;
  uint32_t Version = 0;
  bool RequiresGrad = false;
  TensorId Base; ///< the tensor that the others are views of
  bool operator==(const Family &) const = default;
};

/// What ended a path of the tape.
enum class CutBy : uint8_t {
  Operator, ///< one without a gradient: argmax, a comparison, a cast to an integral type
  Alias,    ///< detach(), data()
  Number,   ///< item(), a raw pointer: the value left the tensors
  Guard,    ///< grad mode was off
  Write,    ///< in place, where autograd did not look
  Function, ///< an autograd::Function of the program's gives no gradient back
};

/// What became of a parameter's influence on a value.
struct Dependence {
  enum State : uint8_t { Live, Zeroed, Cut } Status = Live;
  Site At;          ///< where it was zeroed or cut
  std::string How;  ///< "detach_", "copy_ under no-grad", "round"
  Alias Through = Alias::None;
  bool InPlace = false; ///< by a write or in-place operation
  CutBy By = CutBy::Operator;
  NodeId From; ///< the history of the value that was cut off; none under a guard
  bool Rebound = false; ///< because the variable that held the parameter was given another tensor
  bool Derivative = false; ///< by autograd::grad() with respect to an input, without create_graph
  bool OfItself = false; ///< what was cut off is the parameter itself, a view or a copy of it
};
using Dependences = std::vector<std::pair<TensorId, Dependence>>; ///< sorted by tensor

/// A term of a sum that contributes a number and no gradient, see Note [Lost terms].
struct LostTerm {
  Dependence Cut;                   ///< the first, if its value was cut off in several places
  std::vector<NodeId> From;         ///< the histories that were cut off
  std::vector<TensorId> Parameters; ///< on which its value depends
  std::vector<Dependence> Cuts;     ///< ... and where each was cut off, parallel
  Site Added;                       ///< where it was added
  bool Elementwise = false;         ///< a derivative in a residual, see there
};

enum class GradState : uint8_t { Undefined, Zero, Live };

/// How far any backward of the program got to a leaf.
enum class Reach : uint8_t { Never, Zero, Live };

/// A number that a loss is multiplied by before backward() and its gradients are divided by
/// afterwards: which variable held it, and what was in it.
struct Factor {
  uint32_t Variable = ~0u; ///< the caller's number for the variable (~0: none)
  std::string Content;     ///< equal contents, equal numbers
  double Known = 0;        ///< 0: not known
  bool Inverse = false;    ///< divides
  Site At;
  explicit operator bool() const { return Variable != ~0u || Known != 0; }
  bool operator==(const Factor &) const = default;
};

bool sameScale(const Factor &A, const Factor &B);

/// Factors that are scales of a GradScaler are numbered from here.
constexpr uint32_t FirstScaler = 1u << 31;

/// One backward().
struct Walk {
  Site At;
  bool Used = false;     ///< a step used a gradient that it gave, or the program read one
  bool ForOther = false; ///< it reached a leaf that is neither a parameter nor optimised
  Factor Scale;          ///< of its root
  unsigned Decisions = 0, PeriodicDecisions = 0; ///< taken before it
  uint32_t Nodes = 0;    ///< how many there were
  unsigned Steps = 0;    ///< State::Steps then
  TrailPtr From;         ///< the calls that led to it
  Site UsedAt;           ///< the first step of an optimizer that used it
  uint32_t UsedBy = 0;   ///< ... the number of that optimizer
  uint32_t UsedBefore = 0; ///< ... and how many walks there were then
};

/// What one backward() added to a gradient.
struct Share {
  uint32_t Walk = 0;
  std::vector<uint32_t> SteppedBy; ///< numbers of optimizers
  Site SteppedAt;
  Site Clipped;
  Site ClippedEarly; ///< ... before another backward() added to the gradient
  Site Unscaled;
  TrailPtr ClippedFrom, UnscaledFrom;
};

/// What was taken out of a gradient before any step used it.
struct DiscardedShare {
  uint32_t Walk = 0;
  Site At;
  bool Held = false;     ///< some optimizer was there to step it
  bool Guarded = false;  ///< cleared under a condition
  bool Periodic = false; ///< only decisions about a counter's remainder lie between
  uint32_t Arm = 0; ///< State::Arm when it was cleared
};

/// Note [The life of a gradient]
/// A gradient is a sum of shares, one for each backward() since it was last cleared. step() uses
/// them all, so a share that a step of the same optimizer used already, next to one that is new,
/// accumulates unintentionally: accumulation on purpose ends with a step and a clear. What is
/// cleared before any step used it was computed in vain, unless the same backward() served another
/// optimizer (the generator's loss also fills the discriminator's gradients), a leaf that is
/// not trained (an adversarial input) or was read.
/// Whether a clear or a step is skipped is often a condition's decision, and conditions that belong
/// together (`i % n == 0` before, `(i + 1) % n == 0` behind) are decided apart. So these defects
/// hold only where no path of the program does the same thing right: see Defect::EveryPath.
struct GradientLife {
  struct StepMark {
    uint32_t By = 0;
    unsigned Clock = 0;
    Site At;
  };
  std::vector<Share> Shares;
  std::vector<DiscardedShare> Discarded; ///< since the last step
  std::vector<StepMark> Steps;           ///< the last one of each optimizer
};

struct Tensor {
  StorageId Memory;
  CounterId Count;
  FamilyId Kin;
  Region Where;
  bool LeafRequiresGrad = false;
  bool PerhapsUndefined = false; ///< data on some of the ways that were joined, undefined on others
  bool Untracked = false; ///< its provenance was not followed: silences what depends on it
  bool IsView = false;    ///< a differentiable view of a base
  bool Turned = false;    ///< its dimensions stand in another order than in memory
  bool MultiView = false; ///< one of several outputs that are views (unbind, chunk, split)
  bool NoGradView = false; ///< a view made under no-grad of a tensor that requires grad
  bool FunctionView = false; ///< an input that a function of the program's returned unmarked
  bool Integral = false;  ///< dtype cannot require grad
  bool Inference = false; ///< made under InferenceMode
  NodeId History;
  uint32_t FamilyVersion = 0;
  uint32_t ViewVersion = 0; ///< of the counter, when a view's history was last made (attr_version)
  Alias Through = Alias::None;
  Site AliasMade;
  Site Made;
  std::string MadeBy; ///< operation, or the parameter's name
  std::shared_ptr<const Dependences> Depends;
  std::shared_ptr<const std::vector<LostTerm>> LostTerms;
  bool Scalar = false; ///< known to have one element
  /// Computed from something that was not followed and may know parameters of its own.
  bool Opaque = false;
  bool OfGradient = false; ///< a gradient, or computed from one
  std::shared_ptr<const Suspicions> Suspects;
  TensorId CopiedFrom; ///< it is a copy of (some of) the elements of this one
  bool Selected = false; ///< ... by indices or a mask
  TensorId ComputedFrom; ///< a new value, computed by one operator of this one and perhaps others
  Site BlobAt;         ///< made by from_blob() on memory of the program's
  int BlobEpoch = -1;  ///< number of writes to that memory then
  /// The content was changed behind autograd after its history was recorded: storage (set_data()
  /// moves a tensor to another) and index of the write.
  StorageId DirtyMemory;
  int Dirty = -1;
  GradState Grad = GradState::Undefined;
  TensorId GradTensor; ///< what grad() returns, once somebody asked for it or backward ran
  bool RetainsGrad = false;
  std::shared_ptr<const GradientLife> Life; ///< of its gradient
  std::shared_ptr<const std::vector<TensorId>> FromGradients; ///< sorted: whose it was computed from
  Factor Scale;           ///< it is a product with this
  Site KeptAt;            ///< where a variable that may outlive its round was given it
  uint32_t KeptIn = ~0u;  ///< the number of that variable
  uint32_t KeptBefore = 0; ///< how many nodes there were then
  Site DetachedAt; ///< by detach_()
  Site UnfrozenAt; ///< where it was first let require grad, after a step; never reached before
  bool IsParameter = false;
  std::string Name;  ///< of the variable that first held it
  uint32_t Home = 0; ///< the caller's number of the variable that first held it; 0: none
  Reach EverReached = Reach::Never;
  Site ReachedBy;           ///< the backward that first brought a live gradient
  unsigned LastReached = 0; ///< State::Backwards when the last one did
  unsigned SteppedAt = 0; ///< State::Steps when an optimizer last stepped it
  Site LostAt; ///< where the gradient was lost, for what was never reached alive
  std::string LostHow;
  Alias LostThrough = Alias::None;
  bool LostInPlace = false;
  CutBy LostBy = CutBy::Operator;
  bool LostToOperator = false; ///< zero because an operator's derivative is zero everywhere
  bool LostByRebinding = false;
  unsigned LostIn = 0; ///< State::Backwards then
  Site LostBackward;
  bool operator==(const Tensor &) const = default;
};

struct SavedValue {
  TensorId Value;
  StorageId Memory;
  CounterId Count;
  Region Where;
  uint32_t Version = 0; ///< of the counter, when saved
  uint32_t Epoch = 0;   ///< number of writes to the storage, when saved
  bool IsResult = false;
  bool HadHistory = false; ///< it was no leaf when saved
  int Argument = -1;       ///< of the operation; -1 for a result
  bool Perhaps = false;    ///< saved for some shapes or options only
  std::vector<int> NeededFor; ///< arguments whose gradient is computed from it
  bool operator==(const SavedValue &) const = default;
};

struct Edge {
  NodeId To;     ///< or
  TensorId Leaf; ///< an AccumulateGrad
  TensorId From; ///< the operand, where there is one
  int Argument = -1; ///< of the operation
  bool Zero = false; ///< the gradient along it is zero whatever comes in
  ZeroCause Cause;
  bool operator==(const Edge &) const = default;
};

/// A function of the program's that was being run: where it was called, and from where that was.
struct CallFrame {
  Site At;
  std::shared_ptr<const CallFrame> Outer;
};

struct Node {
  std::string Operation;
  Site At;
  std::shared_ptr<const CallFrame> Frame; ///< in which it was recorded
  std::vector<SavedValue> Saved;
  std::vector<Edge> Next;
  bool SavesCopy = false; ///< an in-place operation that saves a copy of what it overwrites
  bool Freed = false;
  bool Walked = false;   ///< perhaps retained
  Site WalkedAt;         ///< by the last backward(), freed or not
  uint32_t WalkedBy = 0; ///< its number
  bool WalkedPerhaps = false; ///< on some of the ways that were joined into this path
  bool Trained = false;  ///< some backward() brought it a gradient
  bool View = false;  ///< its result shares the storage of its operand
  unsigned Born = 0;  ///< State::Steps when it was recorded
  bool WithData = false; ///< an operand is data: a tensor, or a number that is not a constant
  Site ReplacesAt;    ///< its result took the place of the parameter it was computed from, here
  /// An operand's content had been changed behind autograd: storage and index of the write.
  StorageId DirtyMemory;
  int DirtyWrite = -1;
  bool DirtyView = false;   ///< the handle is a view: its author may have meant it to follow
  bool DirtyHandle = false; ///< ... or had been changed, in full view, under an older handle
  bool operator==(const Node &) const = default;
};

enum class DefectKind : uint8_t {
  SavedOverwritten,   ///< versioned write to a saved value
  SavedChanged,       ///< unversioned write to a saved value
  HistoryOutdated,    ///< untracked write to a value whose history is used afterwards
  OldHandleRead,      ///< an in-place activation changed a value that is read through an older handle
  LeafWritten,        ///< in-place write to a leaf that requires grad
  DirtyNotReturned,   ///< a function of the program's marks what it does not return as dirty
  MultiViewWritten,   ///< in-place write to an element of unbind, chunk, split
  NoGradViewWritten,  ///< in-place write, in grad mode, to a view made under no-grad
  ViewDetached,       ///< detach_() on a view
  OutVariant,         ///< out= with operands that require grad
  InferenceTensor,    ///< an inference tensor meets autograd
  FlagRefused,        ///< requires_grad_() is asked for what the tensor cannot do
  DependenceCut,      ///< a parameter ends without a gradient
  DependenceZeroed,   ///< a parameter ends with a zero gradient
  WriteLost,          ///< a write went into a temporary
  ResultDropped,      ///< an operation out of place, whose result nobody takes
  BufferReused,       ///< memory under a tensor that is still needed was filled anew
  NoGradKept,         ///< the gradient of a tensor that is no leaf and does not retain it is used
  TermLost,           ///< a term of the loss contributes a number and no gradient
  TermUnused,         ///< what looks like a term of the loss is computed and never read
  NothingToDo,        ///< backward() on a value without history
  DetachMissing,      ///< a target or weight that is computed with gradients
  BackwardTwice,      ///< through a freed graph
  StepBetween,        ///< optimizer step between forward and backward
  GradientAccumulates, ///< a step uses a gradient that holds what the last one used
  GradientDiscarded,  ///< cleared before a step used it
  StepTooEarly,       ///< step() before the backward() it is meant for
  NeverStepped,       ///< an optimizer whose gradients are computed and that never steps
  LeftInEval,         ///< a module is trained in the mode that an evaluation left it in
  ClipsNothing,       ///< a clip where there is no new gradient
  ClipsTooEarly,      ///< a clip before the last backward() of a step
  ClipsScaled,        ///< a clip before the gradients are divided by the loss scale
  SteppedScaled,      ///< a step with such gradients
  UnscaledTwice,      ///< divided by the loss scale again
  UnscaledByOther,    ///< divided by another scale than the loss was multiplied by
  ScalerMisused,      ///< GradScaler raises
  CastOutdated,       ///< autocast's cache holds old weights
  // Which object is registered, held by the optimizer, and used:
  Unregistered,       ///< a member gets gradients, and is none of the module's registered parameters
  Rebound,            ///< the variable or member of a parameter was given another tensor
  ComputedOnce,       ///< a value computed from a parameter is used again after the parameter's step
  OtherOptimized,     ///< the optimizer holds other tensors than those in use
  NonLeafOptimized,   ///< an optimizer over a tensor that is no leaf
  SharedSnapshot,     ///< what was kept of earlier values shares their memory
  LostLeaf,           ///< what is kept was computed from a leaf that nobody keeps: it has no gradient
  RegisteredTwice,    ///< a name that the module has already
};

/// A variable or member that held the leaf Old was given another leaf.
struct Rebinding {
  TensorId Old, New;
  Site At;
  unsigned After = 0; ///< State::Backwards then
};

struct ChainEvent {
  Site At;
  std::string Message;
};

struct Defect {
  DefectKind Kind;
  Outcome Effect;
  Site Culprit;
  std::string Message;
  std::vector<ChainEvent> Chain = {};
  Alias Through = Alias::None;
  WriteKind Writer = WriteKind::User;
  bool InPlace = false; ///< the culprit writes (rather than detaches, converts, ...)
  bool OfLeaf = false;  ///< ... to a leaf that requires grad: a parameter
  std::string Operation = {};
  bool Sometimes = false; ///< met on some of the ways that were joined into this path
  CutBy By = CutBy::Operator;
  bool InDoubt = false; ///< somebody may have meant it: possible at best
  /// DependenceCut, DependenceZeroed: those that lose their gradient, as names that are equal on
  /// every path. One that another path reaches is no defect.
  std::vector<std::string> Losers = {};
  /// It is one only if no path of the program acquits its Subject: see Note [The life of a
  /// gradient].
  bool EveryPath = false;
  uint32_t Subject = 0; ///< number of the place that is judged
  /// Order and freed graphs: the obvious fix changes nothing else. Lost writes: a copy can be
  /// written in the tensor's place.
  bool Repairable = false;
  Site Also; ///< another place where it shows, and that its repair mends as well
  TensorId Untrained; ///< no defect if this leaf is trained after all, or its gradient read
};

struct Suspicion {
  Defect What;
  /// The defect is none if this storage is read after this moment.
  StorageId Unread;
  unsigned long Since = 0;
  bool Arrived = false; ///< at a loss, or it needs none
  bool Withdrawn = false;
  TensorId About; ///< the leaf that loses a gradient by it
};

/// Something that was seen to be done right: (DefectKind, Subject).
using Acquittal = std::pair<DefectKind, uint32_t>;

/// A defect that holds unless what follows on the path speaks against it.
struct OrderSuspicion {
  Defect D;
  Site Idle; ///< a zero_grad() that cleared nothing: the culprit, unless it is useful elsewhere
  uint32_t Walk = 0;
  TensorId Parameter;
  uint32_t Nodes = 0;    ///< how many there were at the step
  Site Step;
  bool Settled = false;
  bool IfLossScale = false; ///< none, unless the factor of the walk's loss turns out to be a loss scale
};

/// A weight whose cast autocast keeps.
struct CastRecord {
  TensorId Parameter;
  uint32_t Writes = 0; ///< to its storage, when it was cast
  Site At;
  bool Cleared = false; ///< it was kept, and is no longer
};

struct OptimizerRecord {
  uint32_t Number = 0;
  Site Made;
  std::vector<TensorId> Held;
  uint32_t WalksBefore = 0; ///< how many walks there were when it was made
  bool Stepped = false, Zeroed = false;
};

/// A place that clips or clears gradients, and whether it ever found any.
struct PlaceRecord {
  Site At;
  bool Useful = false;
};

/// Everything; copying it is cheap (see Arena).
struct State {
  Arena<Storage, StorageTag, 8> Storages;
  Arena<Counter, CounterTag> Counters;
  Arena<Family, FamilyTag> Families;
  Arena<Tensor, TensorTag, 4> Tensors;
  Arena<Node, NodeTag, 8> Nodes;
  bool GradMode = true;
  Site GradModeOffAt; ///< who switched it off
  bool GradModeOffForGood = false; ///< ... by set_enabled(), which nothing undoes
  bool GradModeOwed = false; ///< ... and a return left it so, before what switches it on again
  bool InferenceMode = false;
  std::vector<Suspicion> Suspected;
  std::vector<TensorId> Retained; ///< retain_grad() was called
  std::vector<std::pair<LostTerm, Site>> LostTerms; ///< and the backward() whose root had them
  bool Stepped = false;           ///< some optimizer did
  unsigned Steps = 0;             ///< optimizer steps so far
  unsigned Backwards = 0;         ///< how many backward() ran to the end or threw
  bool OpaqueBackward = false;    ///< one started from a value that was not followed
  std::vector<TensorId> Parameters; ///< that some optimizer holds
  std::vector<Rebinding> Rebindings;
  /// Of each different backward: the leaves that the terms of its loss lead to. See Note [Terms].
  std::vector<std::vector<std::set<TensorId>>> Losses;
  std::vector<Defect> Defects;
  std::vector<Acquittal> Acquitted;
  Arena<Walk, struct WalkTag> Walks;
  std::vector<OrderSuspicion> OrderSuspicions;
  std::vector<OptimizerRecord> Optimizers; ///< made by the program
  std::vector<PlaceRecord> Clips, Zeros;
  std::vector<std::pair<Site, unsigned>> IdleZeros; ///< zero_grad() that found nothing, and when
  std::vector<CastRecord> Casts;
  std::vector<Factor> LossScales; ///< by which some gradient was divided after its loss was multiplied
  bool Autocast = false, CastCache = true;
  int AutocastNesting = 0;
  Site AutocastOn;
  TrailPtr Calls;                 ///< that are open
  unsigned Clock = 0;             ///< counts backward(), step() and zero_grad()
  unsigned Decisions = 0;         ///< taken about what is not known ...
  unsigned PeriodicDecisions = 0; ///< ... and about a counter's remainder
  uint32_t Arm = 0;               ///< number of the innermost arm that is open by such a decision
  bool TrainedElsewhere = false;  ///< modules or optimizers went to code that was not followed
  /// Counts what happened to tensors that autograd tracks, to the tape, guards and gradients: two
  /// arms of a branch that leave it alone need not be told apart.
  unsigned Effects = 0;
};

} // namespace torch_tidy::autograd
