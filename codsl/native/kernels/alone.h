// Dense convolution of a single place that reads its own row: a matrix times a vector.
//
// The sums begin at `start`, where it is not null. Every weight is read once; several panels go side by side, since
// memory serves several streams faster than one.
#pragma once

#include "ahead.h"
#include "tiles.h"
#include "vector.h"

namespace codsl {

template <int PANELS, int VECTORS, bool WHOLE>
static __attribute__((noinline)) void compute_alone(R* y, const Item* items, int count, const R* start, long length,
                                                    long first, long outs, Ahead& ahead) {
  constexpr int SPLITS = tile_splits(PANELS, VECTORS), WIDE = VECTORS * LANES;
  Vector sums[SPLITS][PANELS][VECTORS] = {};
  if (start)
    CODSL_UNROLL for (int p = 0; p < PANELS; p++)
      CODSL_UNROLL for (int v = 0; v < VECTORS; v++) {
        const long out = first + p * WIDE + v * LANES;
        sums[0][p][v] = load_lanes<WHOLE>(start + out, outs - out);
      }
  for (int i = 0; i < count; i++) {
    const R* const x = items[i].x;
    const R* w = items[i].w + first * length;
    long c = 0;
    while (c + SPLITS <= length) {
      ahead.some();
      const long stop = smaller(c + BREATH, length);
      for (; c + SPLITS <= stop; c += SPLITS, w += SPLITS * WIDE)
        CODSL_UNROLL for (int s = 0; s < SPLITS; s++)
          CODSL_UNROLL for (int p = 0; p < PANELS; p++)
            CODSL_UNROLL for (int v = 0; v < VECTORS; v++)
              sums[s][p][v] += load(w + p * WIDE * length + (s * VECTORS + v) * LANES) * x[c + s];
    }
    for (; c < length; c++, w += WIDE)
      CODSL_UNROLL for (int p = 0; p < PANELS; p++)
        CODSL_UNROLL for (int v = 0; v < VECTORS; v++)
          sums[0][p][v] += load(w + p * WIDE * length + v * LANES) * x[c];
  }
  CODSL_UNROLL for (int s = 1; s < SPLITS; s++)
    CODSL_UNROLL for (int p = 0; p < PANELS; p++)
      CODSL_UNROLL for (int v = 0; v < VECTORS; v++) sums[0][p][v] += sums[s][p][v];
  CODSL_UNROLL for (int p = 0; p < PANELS; p++)
    CODSL_UNROLL for (int v = 0; v < VECTORS; v++) {
      const long out = first + p * WIDE + v * LANES;
      store_lanes<WHOLE>(y + out, sums[0][p][v], outs - out);
    }
}

static inline void compute_alone(R* y, const Item* items, int count, const R* start, long length, long outs,
                                 Ahead& ahead) {
  const long vectors = ceiling(outs, LANES), last = vectors % 2 ? smaller(vectors, 3) : 0;
  const long paired = (vectors - last) * LANES;
  ahead.spread(count * ceiling(length, BREATH) * ceiling(vectors, 8));
  long out = 0;
  for (; out + 8 * LANES <= smaller(paired, outs); out += 8 * LANES)
    compute_alone<4, 2, true>(y, items, count, start, length, out, outs, ahead);
  for (; out < paired; out += 2 * LANES)
    if (out + 2 * LANES <= outs) compute_alone<1, 2, true>(y, items, count, start, length, out, outs, ahead);
    else compute_alone<1, 2, false>(y, items, count, start, length, out, outs, ahead);
  if (last == 3) compute_alone<1, 3, false>(y, items, count, start, length, out, outs, ahead);
  if (last == 1) compute_alone<1, 1, false>(y, items, count, start, length, out, outs, ahead);
}

}  // namespace codsl
