// An array that copies itself lazily, so that a whole abstract program state is copied by copying
// a few pointers: branches are run from a snapshot and compared.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace torch_tidy::autograd {

/// A typed index into an Arena. Indices stay valid across copies of the arena; references do not
/// survive the next edit() or add().
template <typename Tag> struct Id {
  uint32_t Value = ~0u;
  explicit operator bool() const { return Value != ~0u; }
  auto operator<=>(const Id &) const = default;
};

template <typename T, typename Tag> class Arena {
  static constexpr size_t ChunkSize = 32;
  using Chunk = std::array<T, ChunkSize>;
  std::vector<std::shared_ptr<Chunk>> Chunks;
  uint32_t Count = 0;

  T &writable(uint32_t I) {
    std::shared_ptr<Chunk> &C = Chunks[I / ChunkSize];
    if (C.use_count() > 1)
      C = std::make_shared<Chunk>(*C);
    return (*C)[I % ChunkSize];
  }

public:
  using IdType = Id<Tag>;

  uint32_t size() const { return Count; }

  IdType add(T Value) {
    if (Count % ChunkSize == 0)
      Chunks.push_back(std::make_shared<Chunk>());
    uint32_t I = Count++;
    writable(I) = std::move(Value);
    return {I};
  }
  const T &operator[](IdType I) const {
    assert(I.Value < Count);
    return (*Chunks[I.Value / ChunkSize])[I.Value % ChunkSize];
  }
  T &edit(IdType I) {
    assert(I.Value < Count);
    return writable(I.Value);
  }

  /// Calls Visit(Id) for each of the first Limit entries that may differ between two arenas that
  /// were copied from a common one: what lies in a shared chunk is equal and is passed over.
  template <typename F>
  static void forEachPossiblyDifferent(const Arena &A, const Arena &B, uint32_t Limit, F Visit) {
    for (uint32_t C = 0; C * ChunkSize < Limit; ++C) {
      if (A.Chunks[C] == B.Chunks[C])
        continue;
      for (uint32_t I = C * ChunkSize; I < Limit && I < (C + 1) * ChunkSize; ++I)
        Visit(IdType{I});
    }
  }
};

} // namespace torch_tidy::autograd
