// Depthwise convolution over channels-last planes: every channel by itself.
//
// Neighbouring places of a row share the numbers of x that they load, where the kernel is a usual one; all others,
// and what is left of a vector of channels at the end, are computed place by place.
#pragma once

#include "ahead.h"
#include "vector.h"

namespace codsl {

constexpr int NEIGHBOURS = 10;  // places of a row that are computed together, at most
constexpr int FETCHED = 8;      // items whose lines are fetched before they are read, at most

// What all places of a call share.
struct Planes {
  R* y;
  const Item* items;
  int count;
  const R* bias;  // or null
  bool adds;      // to what is in y, in place of a bias
  Ahead* fetching;
  Ahead* below;  // what the next row reads and this one does not
};

// A row of places, and the rows of the kernel that meet the image there.
struct Line {
  long image;     // where the image begins in x
  long iy;        // the line of x under the kernel's first row
  long from, to;  // rows of the kernel
  long place;     // the row's first place
};

// Taps from..to of `taps` that lie inside `size` numbers, the first of them at `start`.
CODSL_INLINE void clip_taps(long start, long dilation, long size, long taps, long& from, long& to) {
  from = start < 0 ? smaller(taps, ceiling(-start, dilation)) : 0;
  to = start < size ? smaller(taps, ceiling(size - start, dilation)) : from;
  to = larger(from, to);
}

// One place, VECTORS vectors of its channels: any kernel.
template <int VECTORS, bool WHOLE>
static __attribute__((noinline)) void compute_place(const Planes& p, const Window& w, const Line& line, long ox,
                                                    long channel) {
  const long lanes = w.channels - channel, taps = w.kernel_h * w.kernel_w;
  R* y = p.y + (line.place + ox) * w.out_row + channel;
  Vector sums[VECTORS];
  const R* const start = p.adds ? y : p.bias ? p.bias + channel : nullptr;
  CODSL_UNROLL for (int v = 0; v < VECTORS; v++)
    sums[v] = start ? load_lanes<WHOLE>(start + v * LANES, lanes) : Vector{};
  long from, to;
  const long ix = ox * w.stride_w - w.pad_w;
  clip_taps(ix, w.dilation_w, w.width, w.kernel_w, from, to);
  for (int i = 0; i < p.count; i++)
    for (long ky = line.from; ky < line.to; ky++) {
      const long place = line.image + ((line.iy + ky * w.dilation_h) * w.width + ix) * w.row + channel;
      const R* weights = p.items[i].w + channel * taps + ky * w.kernel_w * LANES;
#pragma GCC unroll 1
      for (long kx = from; kx < to; kx++) {
        const R* x = p.items[i].x + (place + kx * w.dilation_w * w.row);
        CODSL_UNROLL for (int v = 0; v < VECTORS; v++)
          sums[v] += load(weights + (v * taps + kx) * LANES) * load_lanes<WHOLE>(x + v * LANES, lanes);
      }
    }
  CODSL_UNROLL for (int v = 0; v < VECTORS; v++) store_lanes<WHOLE>(y + v * LANES, sums[v], lanes);
}

// All channels of a place from `channel` on.
static inline void compute_place(const Planes& p, const Window& w, const Line& line, long ox, long channel) {
  for (; channel + 4 * LANES <= w.channels; channel += 4 * LANES) compute_place<4, true>(p, w, line, ox, channel);
  for (; channel + LANES <= w.channels; channel += LANES) compute_place<1, true>(p, w, line, ox, channel);
  if (channel < w.channels) compute_place<1, false>(p, w, line, ox, channel);
}

// PLACES neighbours of a row, one vector of channels. Up to half a kernel may hang over the image at either end.
template <int PLACES, int KERNEL, int STRIDE>
static __attribute__((noinline)) void compute_strip(const Planes& p, const Window& w, const Line& line, long ox,
                                                    long channel) {
  constexpr int COLUMNS = (PLACES - 1) * STRIDE + KERNEL, HEM = KERNEL / 2;
  constexpr int SPLITS = PLACES > 6 ? 1 : 2;  // sums kept apart, to hide the latency of their multiply-adds
  R* y = p.y + (line.place + ox) * w.out_row + channel;
  Vector sums[SPLITS][PLACES] = {};
  const Vector bias = p.bias ? load(p.bias + channel) : Vector{};
  CODSL_UNROLL for (int o = 0; o < PLACES; o++) sums[0][o] = p.adds ? load(y + o * w.out_row) : bias;
  const long row = w.row, ix = ox * STRIDE - w.pad_w, first = -ix, last = w.width - ix;
  const long start = line.image + ((line.iy + line.from * w.dilation_h) * w.width + ix) * row + channel;
  for (int i = 0; i < p.count; i++) {
    const R* weights = p.items[i].w + (channel * w.kernel_h + line.from * LANES) * KERNEL;
    const R* x = p.items[i].x + start;
    for (long ky = line.from; ky < line.to; ky++, weights += KERNEL * LANES, x += w.dilation_h * w.width * row) {
      Vector taps[KERNEL];
      CODSL_UNROLL for (int kx = 0; kx < KERNEL; kx++) {
        taps[kx] = load(weights + kx * LANES);
        keep(taps[kx]);
      }
      const R* at = x;
      CODSL_UNROLL for (int column = 0; column < COLUMNS; column++, at += row) {
        keep(at);
        if (column < HEM && column < first) continue;
        if (column >= COLUMNS - HEM && column >= last) continue;
        Vector numbers = load(at);
        keep(numbers);
        CODSL_UNROLL for (int kx = 0; kx < KERNEL; kx++)
          if (column >= kx && (column - kx) % STRIDE == 0 && (column - kx) / STRIDE < PLACES)
            sums[kx % SPLITS][(column - kx) / STRIDE] += taps[kx] * numbers;
      }
    }
  }
  CODSL_UNROLL for (int o = 0; o < PLACES; o++) {
    if (SPLITS > 1) sums[0][o] += sums[SPLITS - 1][o];
    store(y + o * w.out_row, sums[0][o]);
  }
}

template <int PLACES, int KERNEL, int STRIDE>
static inline void choose_neighbours(const Planes& p, const Window& w, const Line& line, long ox, long places) {
  if (places == PLACES)
    for (long channel = 0; channel + LANES <= w.channels; channel += LANES) {
      p.fetching->some();
      p.below->some();
      compute_strip<PLACES, KERNEL, STRIDE>(p, w, line, ox, channel);
    }
  else if constexpr (PLACES > 1)
    choose_neighbours<PLACES - 1, KERNEL, STRIDE>(p, w, line, ox, places);
}

// Places first..stop of a row, all whole vectors of channels.
template <int KERNEL, int STRIDE>
static void compute_neighbours(const Planes& p, const Window& w, const Line& line, long first, long stop) {
  constexpr int PLACES = KERNEL > 3 ? 8 : NEIGHBOURS;
  const long tiles = ceiling(stop - first, PLACES);
  for (long tile = 0; tile < tiles; tile++) {
    const long places = (stop - first) / (tiles - tile);
    choose_neighbours<PLACES, KERNEL, STRIDE>(p, w, line, first, places);
    first += places;
  }
}

using Compute = void (*)(const Planes&, const Window&, const Line&, long first, long stop);

// Null where the kernel is none of the usual ones.
static inline Compute choose_compute(const Window& w) {
  if (w.dilation_w != 1) return nullptr;
  if (w.kernel_w == 1 && w.stride_w == 1) return compute_neighbours<1, 1>;
  if (w.kernel_w == 3 && w.stride_w == 1) return compute_neighbours<3, 1>;
  if (w.kernel_w == 3 && w.stride_w == 2) return compute_neighbours<3, 2>;
  if (w.kernel_w == 5 && w.stride_w == 1) return compute_neighbours<5, 1>;
  return nullptr;
}

static inline void compute_places(const Planes& p, const Window& w, const Line& line, long first, long stop,
                                  long channel) {
  for (long ox = first; ox < stop; ox++) compute_place(p, w, line, ox, channel);
}

static inline Line find_line(const Window& w, long b, long oy) {
  Line line;
  line.image = b * w.height * w.width * w.row;
  line.iy = oy * w.stride_h - w.pad_h;
  clip_taps(line.iy, w.dilation_h, w.height, w.kernel_h, line.from, line.to);
  line.place = (b * w.out_height + oy) * w.out_width;
  return line;
}

// The tiles of a row, or a few more.
static inline long count_tiles(const Window& w) { return ceiling(w.out_width, NEIGHBOURS) * (w.channels / LANES); }

// The lines of x under the next row of places, behind those under this one.
static inline Ahead find_below(const Planes& p, const Window& w, const Line& line, Span* spans) {
  const long next = line.iy + (w.kernel_h - 1) * w.dilation_h + 1, width = w.width * w.row;
  const long from = smaller(w.height, larger(0, next)), to = smaller(w.height, larger(0, next + w.stride_h));
  const int count = static_cast<int>(smaller(p.count, FETCHED));
  const long bytes = (to - from) * width * static_cast<long>(sizeof(R));
  for (int i = 0; i < count; i++) spans[i] = {p.items[i].x + line.image + from * width, bytes};
  Ahead below(spans, count);
  below.spread(count_tiles(w));
  return below;
}

template <class After>
static void depthwise(R* y, const Item* items, int count, const R* bias, bool adds, const Window& w, Images images,
                      Ahead& ahead, After after) {
  Span spans[FETCHED];
  Ahead below;
  const Planes planes = {y, items, count, bias, adds, &ahead, &below};
  ahead.spread((images.to - images.from) * w.out_height * count_tiles(w));
  const Compute compute = choose_compute(w);
  // Between these, the kernel hangs over the image by half of itself at most.
  const long hem = w.kernel_w / 2, room = w.width + hem + w.pad_w - w.kernel_w;
  const long first = smaller(w.out_width, ceiling(larger(0, w.pad_w - hem), w.stride_w));
  const long stop = compute && room >= 0 ? larger(first, smaller(w.out_width, room / w.stride_w + 1)) : first;
  for (long b = images.from; b < images.to; b++)
    for (long oy = 0; oy < w.out_height; oy++) {
      const Line line = find_line(w, b, oy);
      below = find_below(planes, w, line, spans);
      compute_places(planes, w, line, 0, first, 0);
      if (first < stop) {
        compute(planes, w, line, first, stop);
        if (w.channels % LANES) compute_places(planes, w, line, first, stop, w.channels / LANES * LANES);
      }
      compute_places(planes, w, line, stop, w.out_width, 0);
      after(line.place, line.place + w.out_width);
    }
}

}  // namespace codsl
