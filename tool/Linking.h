// Which sources belong together, by what they define and declare.
#pragma once

#include "Project.h"

#include <string>
#include <vector>

namespace torch_tidy::tool {

/// Units (the sources of one target, or single sources) put together as they would be linked.
struct Linked {
  std::vector<std::vector<size_t>> Groups; ///< of indices into the units; one may be in several
};

/// Who declares a function that another defines needs that other one: Net::forward, declared in
/// net.h, which train.cpp includes, and defined in net.cpp. Each main has a group of its own; what
/// no main needs is grouped among itself. Where several units define the same function, that one is
/// taken which includes the header that declares it and lies nearest.
Linked linkUnits(Project &Around, const std::vector<std::vector<std::string>> &Units);

} // namespace torch_tidy::tool
