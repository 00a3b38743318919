// How large a tile of sums is that stays in the registers, and how often one looks up from its work.
#pragma once

#include "vector.h"

namespace codsl {

// How many vectors the registers hold; one that is wider than a register takes several.
constexpr int REGISTERS =
    CODSL_REGISTER_BYTES && sizeof(Vector) > CODSL_REGISTER_BYTES
        ? CODSL_REGISTERS * CODSL_REGISTER_BYTES / static_cast<int>(sizeof(Vector))
        : CODSL_REGISTERS;

// Places in a register tile: accumulators, one row of weights and one number of x fill the registers.
constexpr int tile_places(int vectors) {
  return larger(1, smaller(vectors == 1 ? 8 : 12, (REGISTERS - vectors - 1) / vectors));
}

// Sums kept apart per accumulator, so that even a small tile hides the latency of its multiply-adds.
constexpr int tile_splits(int places, int vectors) {
  return places * vectors >= 7 ? 1 : places * vectors >= 4 ? 2 : places * vectors >= 2 ? 4 : 8;
}

// Multiplications of a place between two fetches of what is due later: of more at once a processor has to wait.
constexpr long BREATH = 64;

}  // namespace codsl
