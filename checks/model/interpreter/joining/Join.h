// Whether two states of one program can go on as one. See Note [Joining].
#pragma once

#include "interpreter/ProgramState.h"
#include "interpreter/joining/Reachable.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>

namespace torch_tidy::model {

class Joiner {
public:
  /// A and B both continue Before, came together until there was as much as Common says, and A is
  /// the one to go on with. What they lead to, the program
  /// can come across from where they meet.
  using Reach = llvm::function_ref<const Reachable &()>; ///< computed when it is asked for
  Joiner(const ProgramState &Before, const Extent &Common, const ProgramState &A, Reach ReachA,
         const ProgramState &B, Reach ReachB)
      : Before(Before), Common(Common), A(A), B(B), ReachA(ReachA), ReachB(ReachB) {}

  /// Whether A can stand for B too, where the values that the region returned are in these cells.
  bool joinable(CellId ResultA, CellId ResultB);

  /// After joinable(): changes A into the state that stands for both. Fresh gives the symbol of a
  /// number that is not known.
  void apply(ProgramState &To, llvm::function_ref<Value(ProgramState &)> Fresh) const;

  /// Adds what another way found out beyond the first Common defects: it holds on some paths only.
  static void addDefects(autograd::State &To, const autograd::State &From, size_t Common);
  /// The same in both directions.
  static void mergeDefects(autograd::State &To, const autograd::State &From, size_t Common);

private:
  void mergeSelfCopies(ProgramState &To) const;
  void mergeModuleNames(ProgramState &To) const;

  using TensorId = autograd::TensorId;
  using NodeId = autograd::NodeId;
  using StorageId = autograd::StorageId;
  using CounterId = autograd::CounterId;
  using FamilyId = autograd::FamilyId;

  enum class Verdict { Same, Forget, ForgetOrigin, ForgetDefined, Conflict };
  Verdict values(const Value &X, const Value &Y);
  bool cells(CellId X, CellId Y);
  void note(Verdict V, CellId C);
  bool objects(ObjectId X, ObjectId Y);
  bool objectContents(ObjectId X, ObjectId Y);
  bool tensors(TensorId X, TensorId Y);
  bool tensorContents(TensorId X, TensorId Y);
  bool refilled(TensorId X, TensorId Y) const;
  bool storages(StorageId X, StorageId Y);
  bool storageContents(StorageId X, StorageId Y);
  bool counters(CounterId X, CounterId Y);
  bool families(FamilyId X, FamilyId Y);
  bool familyContents(FamilyId X, FamilyId Y);
  bool nodes(NodeId X, NodeId Y);
  bool nodeContents(NodeId X, NodeId Y);
  bool pendingNodes();
  bool dependences(const std::shared_ptr<const autograd::Dependences> &X,
                   const std::shared_ptr<const autograd::Dependences> &Y, bool Data = false);
  bool inert(const ProgramState &S, const Value &V, unsigned Depth = 0) const;
  bool plain(const ProgramState &S, TensorId T) const;
  std::optional<uint32_t> watched(const ProgramState &S, StorageId M) const;
  bool training();
  bool sameLife(const autograd::Tensor &X, const autograd::Tensor &Y) const;
  bool sameHistory(const autograd::Tensor &X, const autograd::Tensor &Y) const;
  bool finished(TensorId X, TensorId Y);
  bool raises(const ProgramState &S, NodeId N, llvm::DenseMap<uint32_t, bool> &Known);

  /// Old ids stand for themselves; new ones are paired as they are met.
  template <typename Id>
  static std::optional<bool> paired(llvm::DenseMap<uint32_t, uint32_t> &Map, Id X, Id Y,
                                    uint32_t Old);

  const ProgramState &Before;
  const Extent Common;
  const ProgramState &A, &B;
  Reach ReachA, ReachB;
  bool MoreInA = false; ///< A did all the training that B did, and more
  llvm::DenseMap<uint32_t, bool> RaisesA, RaisesB;
  llvm::DenseMap<uint32_t, uint32_t> CellMap, ObjectMap, TensorMap, StorageMap, CounterMap,
      FamilyMap, NodeMap;
  std::vector<std::pair<NodeId, NodeId>> NodeWork;
  std::vector<std::pair<CellId, bool>> Unequal; ///< becomes unknown; what it was read from stays
  std::vector<CellId> PerhapsUndefined;
  std::vector<ObjectId> Opened, EitherMode;
  std::vector<std::pair<ObjectId, autograd::Site>> LeftInEval; ///< and where, on both ways
  std::vector<StorageId> NotZero;
  std::vector<std::pair<StorageId, autograd::Bounds>> Wider;
  std::vector<NodeId> Perhaps; ///< walked by one way alone
};

template <typename Id>
std::optional<bool> Joiner::paired(llvm::DenseMap<uint32_t, uint32_t> &Map, Id X, Id Y,
                                   uint32_t Old) {
  if (!X || !Y)
    return X == Y;
  if (X.Value < Old || Y.Value < Old)
    return X == Y; // the contents of old ones are compared one by one, in joinable()
  auto [It, New] = Map.insert({X.Value, Y.Value});
  if (!New)
    return It->second == Y.Value;
  return std::nullopt;
}

} // namespace torch_tidy::model
