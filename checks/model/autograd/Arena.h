// An array that copies itself lazily, so that a whole abstract program state is copied by copying
// a few pointers: regions of a program are run from a snapshot and compared.
#pragma once

#include <array>
#include <cassert>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace torch_tidy::autograd {

/// A typed index into an Arena. Indices stay valid across copies of the arena; references do not
/// survive the next edit() or add().
template <typename Tag> struct Id {
  uint32_t Value = ~0u;
  explicit operator bool() const { return Value != ~0u; }
  auto operator<=>(const Id &) const = default;
};

/// A counted pointer that copies what it points to before it is written, if somebody shares it.
/// Not for sharing between threads: an analysis runs on one.
template <typename T> class Shared {
  struct Counted {
    T Content;
    unsigned Count = 1;
  };
  Counted *P = nullptr;
  void drop() {
    if (P && --P->Count == 0)
      delete P;
  }

public:
  Shared() = default;
  Shared(const Shared &O) : P(O.P) {
    if (P)
      ++P->Count;
  }
  Shared(Shared &&O) noexcept : P(std::exchange(O.P, nullptr)) {}
  Shared &operator=(Shared O) noexcept {
    std::swap(P, O.P);
    return *this;
  }
  ~Shared() { drop(); }
  const T &operator*() const { return P->Content; }
  const T *operator->() const { return &P->Content; }
  T &writable() {
    if (!P) {
      P = new Counted();
    } else if (P->Count > 1) {
      auto *Copy = new Counted{P->Content};
      drop();
      P = Copy;
    }
    return P->Content;
  }
  bool operator==(const Shared &O) const { return P == O.P; }
};

/// ChunkSize entries are copied together when one of them is written after a snapshot: few where an
/// entry is large. Chunks hang together in blocks, so that a snapshot of a long array copies little.
template <typename T, typename Tag, size_t ChunkSize = 32> class Arena {
  static constexpr size_t BlockSize = 64;
  using Chunk = Shared<std::array<T, ChunkSize>>;
  using Block = Shared<std::array<Chunk, BlockSize>>;
  std::vector<Block> Blocks;
  uint32_t Count = 0;

  static constexpr size_t PerBlock = ChunkSize * BlockSize;
  T &writable(uint32_t I) {
    return Blocks[I / PerBlock].writable()[I % PerBlock / ChunkSize].writable()[I % ChunkSize];
  }

public:
  using IdType = Id<Tag>;

  uint32_t size() const { return Count; }

  IdType add(T Value) {
    if (Count % PerBlock == 0)
      Blocks.emplace_back();
    uint32_t I = Count++;
    writable(I) = std::move(Value);
    return {I};
  }
  const T &operator[](IdType I) const {
    assert(I.Value < Count);
    return (*(*Blocks[I.Value / PerBlock])[I.Value % PerBlock / ChunkSize])[I.Value % ChunkSize];
  }
  T &edit(IdType I) {
    assert(I.Value < Count);
    return writable(I.Value);
  }

  /// Calls Visit(Id) for each of the first Limit entries that may differ between two arenas that
  /// were copied from a common one: what lies in a shared chunk is equal and is passed over.
  template <typename F>
  static void forEachPossiblyDifferent(const Arena &A, const Arena &B, uint32_t Limit, F Visit) {
    for (uint32_t K = 0; K * PerBlock < Limit; ++K) {
      if (A.Blocks[K] == B.Blocks[K])
        continue;
      for (uint32_t C = 0; C < BlockSize; ++C) {
        uint32_t First = static_cast<uint32_t>(K * PerBlock + C * ChunkSize);
        if (First >= Limit)
          break;
        if ((*A.Blocks[K])[C] == (*B.Blocks[K])[C])
          continue;
        for (uint32_t I = First; I < Limit && I < First + ChunkSize; ++I)
          Visit(IdType{I});
      }
    }
  }
};

} // namespace torch_tidy::autograd
