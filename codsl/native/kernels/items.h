// Items that are kept in a state, in slots: one that comes takes the place of the oldest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace codsl {

// Of so many bytes a row, in slots that are so far apart.
struct Kept {
  size_t place, bytes, slots, apart;
};

// How many items of each have come, with which a state begins.
inline int64_t* came(char* state) { return reinterpret_cast<int64_t*>(state); }

// An item: the next to come, with 0, or one before it.
template <size_t COUNT>
inline char* item(char* state, const std::array<Kept, COUNT>& kept, size_t which, int64_t from_next) {
  const Kept& each = kept[which];
  const size_t slots = each.slots, number = came(state)[which] + slots + from_next;
  return state + each.place + number % slots * each.apart;
}

}  // namespace codsl
