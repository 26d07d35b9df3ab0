// How many members a structure has, so that code which must have an opinion about each of them can
// refuse to compile when one is added.
#pragma once

#include <cstddef>
#include <utility>

namespace torch_tidy::model {

namespace fields {
struct Anything {
  template <typename T> constexpr operator T &() const noexcept;
  template <typename T> constexpr operator T &&() const noexcept;
};
template <size_t> using Repeated = Anything;

template <typename T, size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{Repeated<I>{}...}; };
}
} // namespace fields

/// Of an aggregate without base classes and arrays.
template <typename T, size_t N = 0> constexpr size_t fieldCount() {
  if constexpr (fields::takes<T>(std::make_index_sequence<N + 1>{}))
    return fieldCount<T, N + 1>();
  else
    return N;
}

} // namespace torch_tidy::model
