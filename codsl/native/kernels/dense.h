// Dense convolution over channels-last planes.
//
// A block of places goes through all weights while its rows stay in cache. Where a tap lies in the padding
// for a place, that place is left out of the tap's list (or reads zeros, where several taps share a list).
#pragma once

#include <cstring>
#include <vector>

#include "ahead.h"
#include "alone.h"
#include "tiles.h"
#include "vector.h"

namespace codsl {

// A stretch of work for one panel: `runs` rows of `length` numbers for each place.
struct Stretch {
  const R* const* rows;  // of run r and place p: rows[r * step + p]
  R* const* ys;          // of place p
  long step, runs, skip, length;
  const R* w;
  const R* bias;         // of this panel, or null
  bool adds;
  long ahead;            // how far beyond w the weights begin that are due next
  long out, width;       // the panel's first out, and how many of its outs exist
  Ahead* fetching;
};

template <int PLACES, int VECTORS>
using Sums = Vector[PLACES][VECTORS];

// The sums begin at the bias, at what is in y, or at both.
template <int PLACES, int VECTORS, bool WHOLE>
CODSL_INLINE void start_sums(Sums<PLACES, VECTORS>& sums, const Stretch& s, R* const* ys) {
  const R* const given = s.bias;
  const long out = s.out, width = s.width;
  const bool adds = s.adds;
  Vector bias[VECTORS] = {};
  if (given)
    CODSL_UNROLL for (int v = 0; v < VECTORS; v++) bias[v] = load_lanes<WHOLE>(given + v * LANES, width - v * LANES);
  CODSL_UNROLL for (int p = 0; p < PLACES; p++)
    CODSL_UNROLL for (int v = 0; v < VECTORS; v++) sums[p][v] = bias[v];
  if (adds)
    CODSL_UNROLL for (int p = 0; p < PLACES; p++)
      CODSL_UNROLL for (int v = 0; v < VECTORS; v++)
        sums[p][v] += load_lanes<WHOLE>(ys[p] + out + v * LANES, width - v * LANES);
}

template <int PLACES, int VECTORS, bool WHOLE>
CODSL_INLINE void store_sums(const Sums<PLACES, VECTORS>& sums, const Stretch& s, R* const* ys) {
  const long out = s.out, width = s.width;
  CODSL_UNROLL for (int p = 0; p < PLACES; p++)
    CODSL_UNROLL for (int v = 0; v < VECTORS; v++)
      store_lanes<WHOLE>(ys[p] + out + v * LANES, sums[p][v], width - v * LANES);
}

template <int PLACES, int VECTORS>
CODSL_INLINE void add_products(Sums<PLACES, VECTORS>& sums, const R* const* rows, long c, const R* w) {
  Vector weights[VECTORS];
  CODSL_UNROLL for (int v = 0; v < VECTORS; v++) {
    weights[v] = load(w + v * LANES);
    keep(weights[v]);
  }
  CODSL_UNROLL for (int p = 0; p < PLACES; p++) {
    const R x = rows[p][c];
    CODSL_UNROLL for (int v = 0; v < VECTORS; v++) sums[p][v] += weights[v] * x;
  }
}

CODSL_INLINE void fetch(const R* from, int bytes) {
  for (int byte = 0; byte < bytes; byte += 64) __builtin_prefetch(reinterpret_cast<const char*>(from) + byte);
}

template <int PLACES, int VECTORS>
CODSL_INLINE void compute_tile(const Stretch& s, long first) {
  constexpr int SPLITS = tile_splits(PLACES, VECTORS);
  R* const* const ys = s.ys + first;
  const bool whole = s.width >= VECTORS * LANES;
  Sums<PLACES, VECTORS> sums[SPLITS] = {};
  if (whole) start_sums<PLACES, VECTORS, true>(sums[0], s, ys);
  else start_sums<PLACES, VECTORS, false>(sums[0], s, ys);
  const R* w = s.w;
  const long length = s.length;
  const R* const* table = s.rows + first;
  for (long run = 0; run < s.runs; run++, table += s.step) {
    const R* rows[PLACES];
    CODSL_UNROLL for (int p = 0; p < PLACES; p++) rows[p] = table[p] + s.skip;
    long c = 0;
    while (c + SPLITS <= length) {
      s.fetching->some();
      const long stop = smaller(c + BREATH, length);
      for (; c + SPLITS <= stop; c += SPLITS, w += SPLITS * VECTORS * LANES) {
        CODSL_UNROLL for (int i = 0; i < SPLITS; i++)
          add_products<PLACES, VECTORS>(sums[i], rows, c + i, w + i * VECTORS * LANES);
        if (SPLITS == 1) {
          fetch(w + s.ahead, VECTORS * sizeof(Vector));
          load_no_further();
        }
      }
    }
    if (SPLITS > 1)
      for (; c < length; c++, w += VECTORS * LANES) add_products<PLACES, VECTORS>(sums[0], rows, c, w);
  }
  CODSL_UNROLL for (int i = 1; i < SPLITS; i++)
    CODSL_UNROLL for (int p = 0; p < PLACES; p++)
      CODSL_UNROLL for (int v = 0; v < VECTORS; v++) sums[0][p][v] += sums[i][p][v];
  if (whole) store_sums<PLACES, VECTORS, true>(sums[0], s, ys);
  else store_sums<PLACES, VECTORS, false>(sums[0], s, ys);
}

// Computes the tiles of one size from place `first` on, up to place `stop`.
template <int PLACES, int VECTORS>
static __attribute__((noinline)) void compute_tiles(const Stretch& s, long first, long stop) {
  for (; first < stop; first += PLACES) compute_tile<PLACES, VECTORS>(s, first);
}

template <int PLACES, int VECTORS>
static inline void choose_tiles(const Stretch& s, long size, long first, long stop) {
  if (size == PLACES) compute_tiles<PLACES, VECTORS>(s, first, stop);
  else if constexpr (PLACES > 1) choose_tiles<PLACES - 1, VECTORS>(s, size, first, stop);
}

// Tiles of nearly one size: a last tile of one or two places would waste most of its registers.
template <int VECTORS>
static inline void compute_stretch(const Stretch& s, long places) {
  constexpr int PLACES = tile_places(VECTORS);
  const long tiles = ceiling(places, PLACES);
  const long size = places / tiles, middle = (places - tiles * size) * (size + 1);
  if (middle) choose_tiles<PLACES, VECTORS>(s, size + 1, 0, middle);
  choose_tiles<PLACES, VECTORS>(s, size, middle, places);
}

static inline void compute_panel(const Stretch& s, int vectors, long places) {
  if (vectors == 2) return compute_stretch<2>(s, places);
  if (vectors == 3) return compute_stretch<3>(s, places);
  compute_stretch<1>(s, places);
}

// Scratch of one thread, kept between calls.
struct Scratch {
  std::vector<R> zeros, copies;
  std::vector<const R*> rows;
  std::vector<R*> ys;
  std::vector<long> counts;
};

template <class T>
static inline void grow(std::vector<T>& numbers, long count) {
  if (static_cast<long>(numbers.size()) < count) numbers.resize(count);
}

static inline Scratch& own_scratch() {
  static thread_local Scratch scratch;
  return scratch;
}

// How a call is cut up.
struct Layout {
  long run_taps;    // neighbouring taps of a kernel row, read as one run of contiguous numbers
  long row_runs;    // runs in a row of the kernel
  long runs;        // of the whole kernel
  long length;      // numbers in a run
  long piece;       // numbers of a run taken at a time
  long group_runs;  // runs that share a list of places
  long groups;
  long block;       // places
  bool plain;       // every place reads exactly its own row
};

static inline Layout choose_layout(const Window& w, long places) {
  constexpr long FITTING = 256;  // numbers whose weights for a panel leave room in the first cache
  constexpr long BLOCK = 96;     // places whose rows of x and y stay near while the weights go by
  Layout l;
  const bool merges = w.dilation_w == 1 && w.row == w.channels && w.channels <= 32;
  l.run_taps = merges ? w.kernel_w : 1;
  l.row_runs = w.kernel_w / l.run_taps;
  l.runs = w.kernel_h * l.row_runs;
  l.length = w.channels * l.run_taps;
  l.group_runs = 1;
  if (l.length * l.row_runs <= FITTING) l.group_runs = l.row_runs;
  if (merges && l.length * l.runs <= FITTING) l.group_runs = l.runs;
  l.groups = l.runs / l.group_runs;
  l.plain = w.kernel_h == 1 && w.kernel_w == 1 && w.stride_h == 1 && w.stride_w == 1 && w.pad_h == 0 && w.pad_w == 0;
  const bool once = l.plain && places <= tile_places(2);  // no other tile reads these weights again
  l.piece = once ? l.length : ceiling(l.length, larger(1, ceiling(l.length, FITTING)));
  const long even = ceiling(places, larger(1, ceiling(places, BLOCK)));
  l.block = larger(1, ceiling(even, 12)) * 12;            // whole tiles of either size
  return l;
}

// A run's row for a place whose first tap is in column ix of a line: a copy with zeros where some of its taps are
// in the padding, null where all are.
static inline const R* find_row(const R* line, const Window& w, const Layout& l, long ix, R*& copies) {
  if (ix >= 0 && ix + l.run_taps <= w.width) return line + ix * w.row;
  const long from = larger(0, -ix), to = smaller(l.run_taps, w.width - ix);
  if (from >= to) return nullptr;
  R* copy = copies;
  copies += l.length;
  std::memset(copy, 0, sizeof(R) * from * w.channels);
  std::memcpy(copy + from * w.channels, line + (ix + from) * w.row, sizeof(R) * (to - from) * w.channels);
  std::memset(copy + to * w.channels, 0, sizeof(R) * (l.run_taps - to) * w.channels);
  return copy;
}

// The places that any run of a group reaches: their y, and their row for each of the runs.
struct List {
  const R** rows;
  R** ys;
  long count;
};

// Adds places ox..stop of one row of places, whose first y is `y`. `image` is what they read.
static inline void list_row(List& list, const R* image, R* y, const Window& w, const Layout& l, long first_run,
                            long oy, long ox, long stop, R*& copies, const R* zeros) {
  const long left = first_run % l.row_runs * w.dilation_w - w.pad_w;
  const long room = w.width - left - (smaller(l.group_runs, l.row_runs) - 1) * w.dilation_w - l.run_taps;
  // Between these, all columns are inside the image.
  const long from = smaller(stop, larger(ox, ceiling(larger(0, -left), w.stride_w)));
  const long to = room < 0 ? from : larger(from, smaller(stop, room / w.stride_w + 1));
  for (long place = ox; place < stop;) {
    const bool inside = place >= from && place < to;
    const long after = inside ? to : place + 1;
    bool reached = false;
    for (long r = 0; r < l.group_runs; r++) {
      const long iy = oy * w.stride_h - w.pad_h + (first_run + r) / l.row_runs * w.dilation_h;
      const long ix = place * w.stride_w - w.pad_w + (first_run + r) % l.row_runs * w.dilation_w;
      const R* row = iy >= 0 && iy < w.height ? find_row(image + iy * w.width * w.row, w, l, ix, copies) : nullptr;
      const long step = row ? w.stride_w * w.row : 0;
      reached |= row != nullptr;
      if (!row) row = zeros;
      const R** rows = list.rows + r * l.block + list.count;
      for (long i = 0; i < after - place; i++) rows[i] = row + i * step;
    }
    for (long i = 0; i < after - place; i++) list.ys[list.count + i] = y + (place + i) * w.out_row;
    if (reached) list.count += after - place;
    place = after;
  }
}

static inline long list_places(List list, const R* x, R* y, const Window& w, const Layout& l, long first_run,
                               long first, long stop, R*& copies, const R* zeros) {
  const long image = w.height * w.width * w.row;
  for (long place = first; place < stop;) {
    const long line = place / w.out_width, ox = place % w.out_width;
    const long end = smaller(w.out_width, ox + stop - place);
    list_row(list, x + line / w.out_height * image, y + line * w.out_width * w.out_row, w, l, first_run,
             line % w.out_height, ox, end, copies, zeros);
    place += end - ox;
  }
  return list.count;
}

static inline void start_places(R* y, const R* bias, bool adds, const Window& w, long first, long stop) {
  if (adds && !bias) return;
  for (long place = first; place < stop; place++) {
    R* out = y + place * w.out_row;
    for (long o = 0; o < w.outs; o++) out[o] = (adds ? out[o] : 0) + (bias ? bias[o] : 0);
  }
}

// Lists the places of a block for every group of one item.
static inline void list_groups(Scratch& scratch, const R* x, R* y, const Window& w, const Layout& l, long first,
                               long stop) {
  grow(scratch.rows, l.runs * l.block);
  grow(scratch.ys, l.groups * l.block);
  grow(scratch.counts, l.groups);
  const R** rows = scratch.rows.data();
  R** ys = scratch.ys.data();
  if (l.plain) {
    for (long place = 0; place < stop - first; place++) {
      rows[place] = x + (first + place) * w.row;
      ys[place] = y + (first + place) * w.out_row;
    }
    scratch.counts[0] = stop - first;
    return;
  }
  grow(scratch.zeros, l.length);
  if (l.run_taps > 1) grow(scratch.copies, l.runs * l.length * l.block);
  R* copies = scratch.copies.data();
  for (long group = 0; group < l.groups; group++) {
    const long run = group * l.group_runs;
    scratch.counts[group] = list_places({rows + run * l.block, ys + group * l.block, 0}, x, y, w, l, run, first, stop,
                                        copies, scratch.zeros.data());
  }
}

// Adds all taps of one item to one panel of a block; `panel` is its weights, `s` its outs and where they begin.
static inline void add_panel(const Scratch& scratch, const R* panel, int vectors, Stretch s, const Layout& l) {
  s.step = l.block;
  s.runs = l.group_runs;
  for (long group = 0; group < l.groups; group++) {
    if (scratch.counts[group] == 0) continue;
    const long run = group * l.group_runs;
    s.rows = scratch.rows.data() + run * l.block;
    s.ys = scratch.ys.data() + group * l.block;
    for (s.skip = 0; s.skip < l.length; s.skip += l.piece) {
      s.length = smaller(l.piece, l.length - s.skip);
      s.w = panel + (run * l.length + s.skip) * vectors * LANES;
      s.ahead = s.runs * s.length * vectors * LANES;
      compute_panel(s, vectors, scratch.counts[group]);
      s.bias = nullptr;
      s.adds = true;
    }
  }
}

// Adds one item to the places of a block.
static inline void add_item(R* y, const Item& item, const R* bias, bool adds, const Window& w, const Layout& l,
                            long first, long stop, Ahead& ahead) {
  Scratch& scratch = own_scratch();
  list_groups(scratch, item.x, y, w, l, first, stop);
  // The first group can only begin the sums of the places that it reaches.
  if (!l.groups || !l.length || scratch.counts[0] < stop - first) {
    start_places(y, bias, adds, w, first, stop);
    bias = nullptr;
    adds = true;
  }
  const long vectors = ceiling(w.outs, LANES);
  for (long v = 0; v < vectors;) {
    const int wide = vectors - v == 3 ? 3 : vectors - v == 1 ? 1 : 2;
    Stretch s = {};
    s.out = v * LANES;
    s.width = smaller(wide * LANES, w.outs - s.out);
    s.bias = bias ? bias + s.out : nullptr;
    s.adds = adds;
    s.fetching = &ahead;
    add_panel(scratch, item.w + s.out * l.runs * l.length, wide, s, l);
    v += wide;
  }
}

// How often a call fetches what is due later, about.
static inline long count_breaths(const Window& w, const Layout& l, int count, long places) {
  const long panels = ceiling(w.outs, 2 * LANES);
  return count * ceiling(places, tile_places(2)) * panels * l.runs * ceiling(l.length, BREATH);
}

template <class After>
static void dense(R* y, const Item* items, int count, const R* bias, bool adds, const Window& w, Images images,
                  Ahead& ahead, After after) {
  const long plane = w.out_height * w.out_width, end = images.to * plane;
  const long places = end - images.from * plane;
  const Layout layout = choose_layout(w, places);
  if (layout.plain && count > 0 && end == 1) {
    compute_alone(y, items, count, adds ? y : bias, layout.length, w.outs, ahead);
    after(0, 1);
    return;
  }
  ahead.spread(count_breaths(w, layout, count, places));
  for (long first = end - places; first < end; first += layout.block) {
    const long stop = smaller(first + layout.block, end);
    for (int i = 0; i < count; i++)
      add_item(y, items[i], i ? nullptr : bias, adds || i > 0, w, layout, first, stop, ahead);
    if (count == 0) start_places(y, bias, adds, w, first, stop);
    after(first, stop);
  }
}

}  // namespace codsl
