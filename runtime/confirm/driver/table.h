// How verdicts are shown to people.
#pragma once

#include "verdict.h"

#include <cstdint>
#include <string>
#include <vector>

namespace torch_tidy::confirm {

/// Lines with columns as wide as they must be; columns count characters, not bytes.
std::string table(const std::vector<std::vector<std::string>> &rows);

/// "net.cpp:12": relative to the current folder where the file is below it.
std::string short_place(const std::string &file, int64_t line);

/// The parameters that the defect reaches, as fp32 (or the first precision that shows it) tells;
/// where it raises, none is trained.
std::string affected(const Verdict &verdict);

} // namespace torch_tidy::confirm
