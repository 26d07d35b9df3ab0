// The whole state of an interpreted program.
#pragma once

#include "interpreter/Values.h"

#include <map>

namespace torch_tidy::model {

/// A place that copies tensors onto themselves, as far as was seen.
struct SelfCopy {
  bool Copies = false; ///< it copies others as well
  std::vector<autograd::Defect> Defects;
};

/// Copied to run the ways on from a branch; copying is cheap (see Arena).
struct ProgramState {
  autograd::State Torch;
  autograd::Arena<Value, CellTag> Cells;
  autograd::Arena<Object, ObjectTag, 4> Objects;
  std::map<const clang::VarDecl *, CellId> Globals;
  std::map<uint32_t, bool> Assumed; ///< unknown conditions decided so far
  std::map<ObjectId, autograd::StorageId> Blobs; ///< containers that from_blob() was given
  std::map<std::pair<uint32_t, uint32_t>, std::pair<int, autograd::Site>> ScalerStages; ///< scaler, optimizer
  std::map<CellId, autograd::TensorId> GradientCells; ///< what mutable_grad() gave, by its owner
  std::vector<std::pair<ObjectId, autograd::Site>> ModuleNames; ///< where a module got another name
  std::map<uint32_t, SelfCopy> SelfCopies; ///< by what is acquitted together
  int InEval = 0; ///< modules that are in evaluation mode
  unsigned FreshSymbols = 0;
  std::vector<autograd::Defect> LostGradients; ///< see Interpreter::gradientOf
  bool HandedOver = false; ///< a module or optimizer went to code that is not seen
};

/// How much of everything there is: what comes later is new.
struct Extent {
  uint32_t Cells = 0, Objects = 0, Tensors = 0, Storages = 0, Counters = 0, Families = 0, Nodes = 0;
};

} // namespace torch_tidy::model
