// Runs the user's AST on the abstract LibTorch.
//
// lvalue(expression) gives a cell, rvalue(expression) a value; scopes unwind lifetimes, because
// guards are objects; user callees are entered with their real arguments; library callees are
// answered from the fact tables (TensorLibrary.cpp, TensorMethods.cpp), or by small models of
// containers, modules and optimizers (the other *Library.cpp).
#pragma once

#include "Finding.h"
#include "LibraryFiles.h"
#include "interpreter/joining/Liveness.h"
#include "interpreter/joining/Reachable.h"
#include "interpreter/Types.h"
#include "interpreter/ProgramState.h"

#include "clang/AST/ASTContext.h"
#include "clang/AST/Stmt.h"
#include "clang/AST/StmtCXX.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

namespace torch_tidy::model {

/// Unwinding of the interpreted program: these are thrown by the interpreter, never to its caller.
/// An exception of the interpreted program, or exit().
struct ProgramException {
  enum {
    Unknown, ///< some exception: the first handler takes it
    Library, ///< LibTorch's c10::Error, which is a std::exception
    Typed,   ///< the program's own, of type Type
    Exit,    ///< no handler takes it
  } Kind = Unknown;
  clang::QualType Type;
  Value What;
};
struct PathEnd {};          ///< the path is over: budget

constexpr size_t MostElements = 64; ///< of a container, that are told apart

inline bool isOneOf(llvm::StringRef Name, std::initializer_list<llvm::StringRef> List) {
  return llvm::is_contained(List, Name);
}

/// Without parentheses, implicit casts and temporaries made of it.
const clang::Expr *withoutTemporaries(const clang::Expr *E);

struct Decision {
  const void *Where;   ///< the condition or region
  unsigned Number = 0; ///< of that region among those the run met
  unsigned Choice = 0, Ways = 2;
  Extent At; ///< what there was when it was taken
};
struct RegionResult;
/// The decisions of one run of the program, or of one of its regions, in order. Where one run has
/// come to before it took the last of them, another that differs in that one comes too: what the
/// regions on the way there ended in need not be found out again.
struct Path {
  std::vector<Decision> Decisions;
  std::shared_ptr<const std::vector<std::shared_ptr<const RegionResult>>> Known;
};

/// Note [Combinations]
/// Of the ways through a program first those are followed that take a side of a decision for the
/// first time; then combinations of sides that were taken already, up to a small number. A defect
/// that needs three flags set in one special way can be missed; what holds on all the paths
/// followed is called definite only where all combinations were among them.
class SidesTaken {
public:
  /// Whether the last decision of a path takes a side that some path has taken.
  bool isCombination(const Path &P) const {
    return !P.Decisions.empty() &&
           Taken.count({P.Decisions.back().Where, P.Decisions.back().Choice});
  }
  void note(const std::vector<Decision> &P) {
    for (const Decision &D : P)
      Taken.insert({D.Where, D.Choice});
  }

private:
  std::set<std::pair<const void *, unsigned>> Taken;
};

class Interpreter {
public:
  Interpreter(clang::ASTContext &Context, const LibraryFiles &Files, const facts::FactTable &Facts,
              const AnalysisOptions &Options, Statistics &Stats);

  //===--- driving (Explorer.cpp) ----------------------------------------------------------===//

  struct PathResult {
    std::vector<autograd::Defect> Defects;
    std::vector<std::string> Reached; ///< parameters that got a gradient, as in Defect::Losers
    std::vector<autograd::Acquittal> Acquitted;
    bool ReachedBackward = false;
    bool BudgetHit = false;  ///< used up its steps
    bool RegionsCut = false; ///< some region had more sides than were tried
    bool NotAllCombinations = false;
    std::vector<Decision> Taken;
    /// The paths that differ in one decision taken after the prefix.
    std::deque<Path> Others;
  };
  /// Of all runs so far: how much of the tensor expressions in each file was modelled.
  std::map<std::string, Statistics::Coverage> coverage() const; // NotFollowed.cpp
  /// Runs Body under Prefix, the decisions to take first, with some defects repaired.
  PathResult run(llvm::function_ref<void()> Body, const Path &Prefix,
                 const std::set<uint32_t> &Repaired);

  /// Calls a function as if by nobody: parameters are what a user would pass.
  void callRoot(const clang::FunctionDecl *F);
  /// Constructs a module, runs two training steps on it.
  void trainModule(const clang::CXXRecordDecl *R);

  clang::SourceLocation location(Site At) const;
  const clang::Stmt *statement(Site At) const;
  bool insideTemplate(Site At) const;
  bool isDiscarded(Site At) const; ///< an expression that is a whole statement
  bool isUser(const clang::Decl *D) const;
  const Types &types() const { return Kinds; }

private:
  using Expr = clang::Expr;
  using Stmt = clang::Stmt;
  using QualType = clang::QualType;
  enum class Flow { Normal, Break, Continue, Return };

  struct Frame {
    const clang::FunctionDecl *Function = nullptr;
    llvm::DenseMap<const clang::ValueDecl *, CellId> Variables;
    Value This;
    CellId Result;
    bool ResultUnknown = false; ///< some passed-over early return gave another number
    unsigned Depth = 0;
    Frame *Caller = nullptr;
    Site CalledAt;
    bool OffForGood = false; ///< State::GradModeOffForGood when it was entered
    int InEval = 0;          ///< ProgramState::InEval then
    const Stmt *At = nullptr; ///< the innermost statement that is being executed
  };
  struct Live {
    CellId Where;
    QualType Type;
  };

  //===--- statements (Statements.cpp) -----------------------------------------------------===//
  Flow execute(const Stmt *S);
  void noteOwed(const Stmt *Return);
  Flow executeIf(const clang::IfStmt *S);
  Flow executeFor(const Expr *Condition, const Stmt *Body, const Expr *Increment, bool BodyFirst);
  Flow executeRound(const Stmt *Body, bool Second);
  void forgetChangedNumbers(const autograd::Arena<Value, CellTag> &Before);
  Flow executeRangeFor(const clang::CXXForRangeStmt *S);
  Flow executeSwitch(const clang::SwitchStmt *S);
  Flow executeTry(const clang::CXXTryStmt *S);
  bool handles(const clang::CXXCatchStmt *H, const ProgramException &E) const;
  void declare(const clang::VarDecl *D);
  void bindStructured(const clang::DecompositionDecl *D, CellId From);
  void unwind(size_t Mark);
  void destroy(Value V, QualType T);
  bool needsDestruction(QualType T);
  bool needsDestruction(const clang::CXXRecordDecl *R);

  //===--- code that does not compile (Broken.cpp) -----------------------------------------===//
  void noteErrors();
  bool isBroken(const Expr *E) const;
  CellId broken(const Expr *E);
  void distrust(CellId C);
  void distrust(CellId C, std::set<uint32_t> &Seen);
  Flow executeWithHoles(const clang::CompoundStmt *S);
  void holes(clang::SourceLocation From, clang::SourceLocation To, const Stmt *Inside = nullptr);
  bool isInNestedBlock(const Stmt *S, clang::FileID File, unsigned Offset) const;
  void hole(clang::FileID File, unsigned Offset);

  //===--- branches (Branches.cpp) ---------------------------------------------------------===//
  /// The decisions of a run, or of a run of a region, as it takes them.
  struct Exploration {
    Path Prefix;
    std::vector<Decision> Taken;
    std::vector<std::shared_ptr<const RegionResult>> Seen;
    size_t Next = 0;      ///< of Prefix
    unsigned Regions = 0; ///< met so far
  };
  enum class Region { Branch, Round, Loop, Function };
  struct End;
  friend struct RegionResult;
  struct Checkpoint;
  std::optional<bool> known(const Value &V) const;
  bool decide(const Value &V, const void *Where);
  bool takeSide(const Value &V, const void *Where);
  void noteForced(const Value &V, const void *Where);
  unsigned choose(const void *Where, unsigned Number, unsigned Ways, const Extent &At);
  Extent extent() const;
  static void flip(Exploration &E, std::deque<Path> &Work);
  const Liveness &livenessOf(const clang::FunctionDecl *F);
  Roots rootsAfter(const void *Where, Region Kind, Flow Out);
  Flow branch(const Value &Condition, const void *Where, llvm::function_ref<Flow()> Then,
              llvm::function_ref<Flow()> Else);
  Flow explore(const void *Where, Region Kind, llvm::function_ref<Flow()> Body);
  static Flow leave(const End &X);
  void passOver(std::vector<End> &Ends, const ProgramState &Before, Region Kind);
  void join(std::vector<End> &Ends, const ProgramState &Before, const void *Where, Region Kind);
  void remember(const void *Where, llvm::function_ref<void()> Body);
  const RegionResult *recall(const void *Where, unsigned Number);
  Flow proceed(const RegionResult &R, const void *Where, unsigned Number);
  bool branches(const clang::FunctionDecl *F);
  ProgramState snapshot() const;
  void restore(const ProgramState &Saved);

  //===--- expressions (Expressions.cpp) ---------------------------------------------------===//
  CellId lvalue(const Expr *E);
  Value rvalue(const Expr *E);
  CellId lvalueOf(const Expr *E) { return E->isGLValue() ? lvalue(E) : cell(rvalue(E)); }
  void evaluate(const Expr *E);
  Value castValue(const clang::CastExpr *E);
  Value lambda(const clang::LambdaExpr *E);
  Value initList(const clang::InitListExpr *E);
  CellId variable(const clang::ValueDecl *D);
  CellId member(CellId Base, const clang::ValueDecl *Field);
  CellId element(CellId Base, const Value &Index, QualType T);
  CellId dereference(const Value &V, QualType T);

  //===--- numbers (Arithmetic.cpp) --------------------------------------------------------===//
  Value binary(const clang::BinaryOperator *E);
  Value arithmetic(clang::BinaryOperatorKind K, const Value &A, const Value &B);
  Value unary(const clang::UnaryOperator *E);
  Operand mergedOrigin(const Value &A, const Value &B);

  //===--- calls (Calls.cpp) ---------------------------------------------------------------===//
  struct Call {
    const clang::FunctionDecl *Callee = nullptr;
    const clang::CXXMethodDecl *Method = nullptr;
    const clang::Expr *E = nullptr;
    CellId Self; ///< valid for member calls
    std::vector<CellId> Arguments;
    std::vector<const Expr *> Written; ///< the argument expressions, parallel to Arguments
    Site At;
    bool Discarded = false; ///< the result is not used
    llvm::StringRef Name;   ///< "mul_", "operator="
    std::string Qualified;
    clang::OverloadedOperatorKind Operator = clang::OO_None;
    QualType ResultType;
  };
  /// How a function is called; asked at every call.
  struct Spelled {
    std::string Name, Qualified;
    std::vector<std::string> ParameterForms; ///< see facts::normalForm()
  };
  const Spelled &spelled(const clang::FunctionDecl *F);
  CellId call(const clang::CallExpr *E);
  CellId dispatch(Call &C);
  CellId enter(const clang::FunctionDecl *F, const Value &This, const std::vector<CellId> &Args,
               const Object *Closure = nullptr);
  unsigned activations(const clang::FunctionDecl *F, const Value &This) const;
  CellId invoke(const Value &Callable, const std::vector<CellId> &Args, QualType Result, Site At);
  const clang::FunctionDecl *callOperator(const Value &Callable, const std::vector<CellId> &Args,
                                          Value &Owner) const;
  QualType returnType(const Value &Callable) const;
  const clang::FunctionDecl *overrider(const clang::CXXMethodDecl *M, const Value &Self) const;
  std::vector<CellId> arguments(const clang::FunctionDecl *F, llvm::ArrayRef<const Expr *> Args,
                                std::vector<const Expr *> *Written = nullptr);

  //===--- construction (Construction.cpp) -------------------------------------------------===//
  Value construct(const clang::CXXConstructExpr *E);
  Value makeObject(const clang::CXXRecordDecl *R, const std::vector<CellId> &Args, Site At);
  Value callerObject(const clang::CXXRecordDecl *R, Site At);
  unsigned CallerObjects = 0; ///< that are being made
  Value callerValue(clang::QualType T, Site At, const std::string &Name);
  void handOver(const std::vector<CellId> &Args, Site At);
  Value makeUserObject(const clang::CXXRecordDecl *R, const clang::CXXConstructorDecl *Ctor,
                       const std::vector<CellId> &Args);
  void initialise(const clang::CXXConstructorDecl *Ctor, const Value &Self);
  void defaultFields(const clang::CXXRecordDecl *R, const Value &Self);
  const clang::CXXConstructorDecl *chooseConstructor(const clang::CXXRecordDecl *R,
                                                     const std::vector<CellId> &Args);
  int resemblance(const clang::FunctionDecl *F, const std::vector<CellId> &Args) const;
  Value mapOf(std::vector<CellId> Pairs, bool Open);
  Value makeTuple(const clang::CXXRecordDecl *R, const std::vector<CellId> &Args);

  //===--- code that is not followed (NotFollowed.cpp) -------------------------------------===//
  CellId notFollowed(Call &C, const std::string &Why);
  void forgetGiven(const Call &C);
  bool isNumberOrText(QualType T) const;
  void forgetContent(CellId C, unsigned Depth = 0);
  bool maySee(const Value &V, unsigned Depth = 0) const;

  //===--- writes that are lost, memory that is shared (LostWrites.cpp) --------------------===//
  void noteReads(const Call &C);
  void noteLostWrite(const Call &C);
  void noteLostElements(const Call &C);
  void noteRebinding(const Call &C, const Value &New);
  std::optional<ObjectId> ownerOf(const Value &Memory) const;
  void bufferWritten(ObjectId Owner, Site At);
  void bufferAssigned(ObjectId Owner, const Value &Now);
  void fillWithNumbers(ObjectId Owner, const std::vector<Operand> &From, Site At);
  void elementWritten(CellId Element, Site At);
  void buffersWrittenBy(const Call &C);
  void endOfBuffer(const Value &V);
  bool isInPlaceMethod(const Call &C) const;

  //===--- library models ------------------------------------------------------------------===//
  std::optional<CellId> tensorCall(Call &C);                        // TensorLibrary.cpp
  void optionsOfDropout(const Call &C, const facts::OpFact &Op,
                        std::vector<autograd::Argument> &Arguments);
  CellId applyOperator(Call &C, const facts::OpFact &Op, const std::vector<int> &ArgumentOf,
                       bool InPlaceActivation);
  CellId resultOf(const facts::OpFact &Op, std::vector<std::vector<Operand>> Results, QualType T);
  autograd::Argument argumentFrom(const Value &V);
  autograd::Factor factorFrom(const Value &V, Site At);
  static std::string contentOf(const Value &V);
  void noteFactor(const Call &C, llvm::StringRef Operator, CellId Result);
  std::vector<Operand> tensorsIn(const Value &V, unsigned Depth = 0) const;
  std::vector<Operand> numbersIn(const Value &V, unsigned Depth = 0) const;
  void leafOfNumbers(TensorId T, Site At);
  Operand tensorOfNumbers(const std::vector<Operand> &Numbers, bool OneElement, Site At);
  bool asksForIntegral(const Call &C) const;
  bool asksForElements(const Value &Options) const;
  //===--- results that nobody takes (DroppedResults.cpp) ------------------------------------===//
  const Expr *droppedFrom(const Expr *E) const;
  void noteDropped(const Call &C, CellId Result);
  struct DroppedCall;
  std::shared_ptr<DroppedCall> watchDropped(const Call &C);
  void noteDropped(const DroppedCall &Watched, const Call &C, CellId Result);
  //===--- snapshots that share memory (Snapshots.cpp) ---------------------------------------===//
  struct SelfUse;
  std::shared_ptr<SelfUse> selfUse(const Call &C);
  void noteSelfUse(const SelfUse &Use, const Call &C, CellId Result);
  void noteKeptTwice(const Call &C, CellId Result);
  void noteReassigned(const Call &C);
  void copiedFrom(const Value &V, Site At, unsigned Depth = 0);
  bool keptBefore(CellId Handle, const Call &C) const;
  bool mentions(const Expr *E, const clang::ValueDecl *But, autograd::StorageId Memory);
  std::optional<Site> secondNameOf(TensorId T);
  void judgeSelfCopies(bool Ended);
  Operand tensorOperand(CellId C) const;
  bool writtenInPlace(const Value &Options) const;
  bool isOneElement(const Value &Sizes) const;
  clang::SourceLocation inPlaceWritten(const Value &Options) const;
  std::optional<CellId> tensorSpecial(Call &C);                     // TensorMethods.cpp
  std::optional<bool> convertsLeaf(Call &C, const Operand &T) const;
  bool copiesLeaf(const Call &C) const;
  Operand indexed(Operand Base, const Value &Index, Site At, bool &Copies);
  CellId moduleCall(Call &C, ObjectId M);                           // ModuleLibrary.cpp
  Value makeLibraryModule(const clang::CXXRecordDecl *R, const std::vector<CellId> &Args, Site At);
  CellId forward(ObjectId M, const std::vector<CellId> &Args, Site At, bool Discarded, QualType T,
                 llvm::StringRef Method = "forward");
  CellId forwardLibrary(ObjectId M, const std::vector<CellId> &Args, Site At, bool Discarded);
  void parametersOf(ObjectId M, std::vector<std::pair<std::string, CellId>> &Out,
                    const std::string &Prefix, bool Buffers, unsigned Depth = 0) const;
  void setTraining(ObjectId M, int On, Site At = {}, unsigned Depth = 0);
  void noteMode(ObjectId M, const facts::ModuleFact &Fact, std::vector<Operand> &Results);
  Value cloneModule(ObjectId M, Site At);
  Value copyModule(ObjectId M);
  Value pretrained(Call &C);
  void addTensor(ObjectId M, const std::string &Name, const Value &V);
  std::optional<CellId> packedSequence(Call &C);
  void addChild(ObjectId M, const std::string &Name, const Value &Child);
  std::optional<CellId> containerCall(Call &C);                     // ContainerLibrary.cpp
  CellId sequenceCall(Call &C);
  CellId mapCall(Call &C);
  std::optional<CellId> variantCall(Call &C);
  CellId iteratorCall(Call &C);                                     // IteratorLibrary.cpp
  CellId iteratorAt(CellId Container, int Position, bool Reverse = false, bool Uncertain = false);
  bool isIterator(const Value &V) const;
  Value movedBy(const Value &Iterator, const Value &By);
  std::optional<Value> compared(clang::BinaryOperatorKind K, const Value &A, const Value &B);
  CellId pointedTo(const Value &Iterator, const Value &Offset, QualType T);
  std::vector<CellId> elementsBetween(const Value &First, const Value &Last);
  std::optional<CellId> algorithm(Call &C);                         // Algorithms.cpp
  std::optional<CellId> reorder(const Call &C, const std::vector<CellId> &Range);
  std::optional<CellId> customFunction(Call &C);                    // AutogradLibrary.cpp
  std::optional<CellId> autogradContextCall(Call &C);
  std::optional<CellId> standardFunction(Call &C);                  // StandardLibrary.cpp
  std::optional<CellId> variantFunction(Call &C);
  std::optional<CellId> callingFunction(Call &C);
  CellId combined(llvm::StringRef FunctionObject, const Value &A, const Value &B, Site At);
  std::optional<CellId> trainingCall(Call &C);                      // TrainingLibrary.cpp
  Value makeOptimizer(const clang::CXXRecordDecl *R, const std::vector<CellId> &Args, Site At);
  void holdFrom(ObjectId Optimizer, const std::vector<CellId> &Args, Site At);
  void keep(CellId Where, Site At, llvm::StringRef Name = {});                                 // Identity.cpp
  bool rebind(CellId Where, const Value &New, const Expr *Left, Site At);
  CellId containerOf(const Expr *Left, CellId Element);
  bool holdsParameter(const Expr *Left, CellId Where, TensorId Old) const;
  void refuseName(const std::string &Name, Site First, Site At);
  void noteHandedOver(const Call &C);
  Value gradientOf(Operand T, Site At);
  void refuseUndefined(const Call &C);
  void judgeIdentity();
  void judgeTerms(const std::vector<ObjectId> &Modules, const std::vector<ObjectId> &Stepped);
  void judgeTwins(const std::vector<ObjectId> &Modules, const std::vector<ObjectId> &Stepped);
  std::string registration(ObjectId M, const std::string &Member, const Object *Part) const;
  std::optional<ObjectId> blamed(const std::vector<ObjectId> &Stepped) const;
  Value makeGuard(const clang::CXXRecordDecl *R, const std::vector<CellId> &Args, Site At);
  std::vector<TensorId> accumulateInto(const Value &Inputs) const;
  CellId scalerCall(Call &C);
  std::optional<CellId> autocastCall(Call &C);
  void releaseGuard(ObjectId G);
  void backward(const Value &Root, bool Retain, Site At,
                const autograd::AbstractTorch::Into &Where = {});
  void computeLoss(const Value &Closure, Site At);
  void stepOptimizer(ObjectId O, Site At);
  void zeroGrad(const std::vector<TensorId> &Tensors, Site At, const Value &SetToNone = {});
  /// A variable, or a fresh one (no cell), now holds V.
  void keep(const Value &V, CellId Variable, Site At);
  void trainLoop(const std::vector<CellId> &Args, Site At);

  //===--- values --------------------------------------------------------------------------===//
  CellId cell(Value V = {}) { return P.Cells.add(std::move(V)); }
  /// Where code has holes, an operand may be nowhere: it is then nothing known.
  const Value &get(CellId C) const {
    static const Value Nothing;
    return C ? P.Cells[C] : Nothing;
  }
  void set(CellId C, Value V) {
    if (C)
      P.Cells.edit(C) = std::move(V);
  }
  ObjectId object(Object::Kind K, std::string Name = "", const clang::CXXRecordDecl *R = nullptr);
  Value copy(const Value &V, unsigned Depth = 0);
  Value secondName(Value V, const Expr *From) const;
  Value fresh() { return fresh(P); }
  static Value fresh(ProgramState &S);
  Value symbol(const std::string &Key);
  /// The characters of a string that is known.
  std::optional<std::string> textOf(Value V) const;
  Value text(const std::string &Characters) { return constant("str:" + Characters); }
  Value constant(const std::string &Key); ///< a text or type: others are different ones
  Value negate(Value V) const;
  /// A default-initialised value, or (External) one that comes from outside.
  Value defaultValue(QualType T, bool External = false);
  Value emptySequence(const clang::CXXRecordDecl *R);
  Value externalValue(QualType T, Site At, const std::string &Name);
  void shape(CellId C, QualType T, Site At); ///< gives an unknown value the form its type demands
  Site site(const Stmt *S);
  Site site(clang::SourceLocation L, const Stmt *S = nullptr);
  void untracked(const std::string &Why);
  void checkThrown();
  void tick();

  clang::ASTContext &Context;
  const clang::SourceManager &Sources;
  const LibraryFiles &Files;
  const facts::FactTable &Facts;
  const AnalysisOptions &Options;
  Statistics &Stats;
  llvm::DenseMap<clang::SourceLocation, bool> UntrackedAt; ///< tensor expressions, see coverage()
  Types Kinds;

  ProgramState P;
  autograd::AbstractTorch Torch; ///< its state lives in P between calls; see TorchScope
  Frame *Current = nullptr;
  llvm::DenseMap<const clang::FunctionDecl *, unsigned> DeepCalls; ///< of recursion, see enter()
  Site CalledFrom; ///< the call that is being dispatched
  std::vector<Live> Lives;
  unsigned long Steps = 0;
  unsigned ChosenArms = 0;     ///< open branch arms whose condition is not a constant
  uint32_t Arms = 0;           ///< opened so far
  unsigned TryDepth = 0;
  ProgramException Handled; ///< by the innermost handler
  bool SecondRound = false; ///< inside the second round of some loop: see Note [Loops]
  unsigned long Layers = 0;  ///< modules that were added to modules and containers
  unsigned long Growths = 0; ///< elements that were added to containers, on all ways
  unsigned long Forced = 0; ///< decisions that a known number made
  unsigned long Hidden = 0; ///< ... where it was open another time, and made a difference
  llvm::DenseSet<const void *> WasOpen; ///< conditions
  Exploration *Exploring = nullptr;
  bool RegionsCut = false, NotAllCombinations = false;
  bool ModulesConverted = false; ///< somewhere: then the type of a parameter is not known
  bool Repairing = false; ///< some defects are repaired on this run
  std::map<std::string, uint32_t> Symbols;
  std::vector<const std::string *> SymbolKeys; ///< by symbol - 1
  llvm::DenseMap<const clang::FunctionDecl *, bool> Branching; ///< see branches()
  Liveness::ReadsValue IsValueRead;
  Liveness::Replaces IsReplacement;
  std::map<const clang::FunctionDecl *, Liveness> Livenesses;
  llvm::DenseMap<const clang::CXXRecordDecl *, bool> Destroyed; ///< see needsDestruction()
  std::unordered_map<const clang::FunctionDecl *, Spelled> Spellings;
  std::vector<std::string> InverseContents;
  std::set<uint32_t> Constants; ///< symbols that constant() gave
  std::set<uint32_t> PeriodicSymbols; ///< remainders of what is no data, and conditions on them

  struct Place {
    clang::SourceLocation Loc;
    const Stmt *S = nullptr;
    bool InTemplate = false;
    bool Discarded = false;
  };
  std::vector<Place> Places;
  std::map<std::pair<clang::SourceLocation::UIntTy, const Stmt *>, uint32_t> PlaceNumbers;
  const Expr *DiscardedExpression = nullptr;
  const Expr *DroppedFrom = nullptr; ///< see droppedFrom()
  CellId DroppedCell;                ///< ... its value
  Site CallingAt;                    ///< of the call that is being dispatched
  llvm::DenseSet<const clang::VarDecl *> TemporaryRanges; ///< loop variables over a temporary
  std::map<clang::FileID, std::vector<unsigned>> Holes; ///< offsets of the compiler's errors
};

} // namespace torch_tidy::model
