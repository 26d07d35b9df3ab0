// The text of tables/*.tsv, as CMake puts it into the program (see CMakeLists.txt).
#pragma once

#include "facts/FactTable.h"

#include <span>
#include <string_view>

namespace torch_tidy::facts {

struct EmbeddedTable {
  Version Measured;
  std::string_view Text;
};

std::span<const EmbeddedTable> embeddedTables();

} // namespace torch_tidy::facts
