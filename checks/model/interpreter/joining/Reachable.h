// What a program can still come across from where it is. See Note [Joining].
#pragma once

#include "interpreter/ProgramState.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"

#include <optional>
#include <vector>

namespace torch_tidy::model {

/// Where a search for what the rest of the program can come across begins.
struct Roots {
  std::vector<CellId> Live;   ///< of variables that may be read
  std::vector<CellId> Values; ///< of tensors whose value may be read, but not their graph
  std::vector<CellId> Dead;   ///< of variables that nobody reads again
  std::vector<Value> Held;
};

/// Modules, optimizers and what training keeps books about count as reachable, whoever holds them.
class Reachable {
public:
  Reachable(const ProgramState &S, const Roots &From);

  /// Only dead variables lead there. Cells that nobody is seen to hold may belong to an expression
  /// that is being evaluated, and do not count.
  bool isForgotten(CellId C) const { return DeadCells.test(C.Value) && !Cells.test(C.Value); }
  bool isForgotten(ObjectId O) const { return DeadObjects.test(O.Value) && !Objects.test(O.Value); }
  bool isValueOnly(CellId C) const { return ValueCells.test(C.Value) && !Cells.test(C.Value); }
  bool has(autograd::TensorId T) const { return Tensors.test(T.Value); }
  bool has(autograd::StorageId M) const { return Storages.test(M.Value); }
  bool has(autograd::CounterId C) const { return Counters.test(C.Value); }
  bool has(autograd::FamilyId F) const { return Families.test(F.Value); }
  bool has(autograd::NodeId N) const { return Nodes.test(N.Value); }
  /// The first of the writes to M that some node that can still be walked would notice: it saved M
  /// when so many had been done. None if it is none.
  std::optional<uint32_t> watchedFrom(autograd::StorageId M) const {
    auto It = Watched.find(M.Value);
    return It == Watched.end() ? std::nullopt : std::optional(It->second);
  }

private:
  struct Marks {
    llvm::BitVector &Cells, &Objects;
    bool Torch; ///< what hangs on tensors too
  };
  void mark(const Marks &To, CellId C);
  void mark(const Marks &To, ObjectId O);
  void mark(const Marks &To, const Value &V);
  void run(const Marks &To);
  void mark(autograd::TensorId T);
  void mark(autograd::NodeId N);
  void mark(autograd::StorageId M);
  void markTorch();

  const ProgramState &S;
  llvm::BitVector Cells, Objects, DeadCells, DeadObjects, ValueCells;
  llvm::BitVector Tensors, Storages, Counters, Families, Nodes;
  llvm::DenseMap<uint32_t, uint32_t> Watched;
  std::vector<CellId> CellWork;
  std::vector<ObjectId> ObjectWork;
  std::vector<autograd::TensorId> TensorWork;
  std::vector<autograd::NodeId> NodeWork;
};

} // namespace torch_tidy::model
