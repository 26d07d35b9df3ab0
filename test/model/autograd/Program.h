// Small tensor programs that run both on the real LibTorch (execute.cpp) and on the abstract one.
//
// One statement per line; tensors are numbered as they appear, all 3x3 but for rows, thin ones (1x3)
// and scalars. Modules (their parameters become tensors) and optimizers are numbered each for
// themselves:
//   leaf GRAD | un OP A | bin OP A B | in OP A | inbin OP A B | inscalar OP A | out OP A B C
//   view same A | view t A | view row A I | view slice A | unbind A | chunk A
//   detach A | data A | setdata A B | rg A ON | rg_ A ON | gradfn A
//   module linear|batchnorm|layernorm | apply M A | mode M TRAINING
//   optimizer sgd|adam A B | step O
//   nograd | grad | inference | normal | backward A RETAIN | zerograd
// What is printed: "ok" or "throws" per statement, then per tensor what can be observed. A program
// ends with its first backward() that throws.
#pragma once

#include <string>
#include <vector>

namespace torch_tidy::test {

using Program = std::vector<std::string>;

/// A random program of Length statements.
Program randomProgram(unsigned Seed, unsigned Length);

/// What the abstract LibTorch of that version's facts says of it: the same lines as execute.cpp
/// prints, without the version and the closing "end".
std::vector<std::string> predict(const Program &P, int Major, int Minor, int Patch);

} // namespace torch_tidy::test
