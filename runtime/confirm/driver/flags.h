// Which flags of a compile command matter to confirm.
#pragma once

#include <string>
#include <vector>

namespace torch_tidy::confirm {

/// Drops from a compile command what names the compiler, inputs, outputs, dependencies, warnings as
/// errors, optimisation and the LibTorch to use (confirm has its own).
std::vector<std::string> user_flags(const std::vector<std::string> &command,
                                    const std::string &source, const std::string &directory);

/// -I, -isystem, -iquote or -idirafter, with its folder as the next word.
bool is_include_flag(const std::string &flag);

/// Without folders for what the user's #include lines find: no part of a precompiled header's key.
void without_includes(std::vector<std::string> &flags);

} // namespace torch_tidy::confirm
