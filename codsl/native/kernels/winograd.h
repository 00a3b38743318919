// Dense convolution of a kernel of 3 x 3 at every place, with 16 multiplications for the 36 of four places: F(2 x 2,
// 3 x 3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016).
//
// A tile of 2 x 2 places reads 4 x 4, which are transformed; what stands at one of these 16 positions in all tiles is
// multiplied by a matrix of its own, and the sums of all items are transformed back.
#pragma once

#include <vector>

#include "ahead.h"
#include "dense.h"
#include "vector.h"

namespace codsl {

constexpr int SIDE = 4, POSITIONS = SIDE * SIDE;

struct alignas(64) Aligned {
  R numbers[64 / sizeof(R)];
};

// Tiles of a block by position, as they are read and as they are made; kept between calls.
struct Transformed {
  std::vector<Aligned> in, out;
};

static inline R* find_room(std::vector<Aligned>& room, long count) {
  grow(room, ceiling(count * static_cast<long>(sizeof(R)), sizeof(Aligned)));
  return room.data()->numbers;
}

// Rows of tiles, image after image.
struct Rows {
  long of_image, columns;
  long from, stop;  // of a call
  long block;       // taken at a time
};

static inline Rows choose_rows(const Window& w, Images images) {
  constexpr long TILES = 96;  // for which the weights are read once
  Rows rows;
  rows.of_image = ceiling(w.out_height, 2);
  rows.columns = ceiling(w.out_width, 2);
  rows.from = images.from * rows.of_image;
  rows.stop = images.to * rows.of_image;
  const long most = larger(1, TILES / rows.columns);
  const long count = rows.stop - rows.from;
  rows.block = ceiling(count, larger(1, ceiling(count, most)));
  return rows;
}

// The tiles as places that read their own rows, which one position of all of them is.
static inline Window as_places(const Window& w, long tiles) {
  return {1, tiles, w.channels, w.channels, 1, tiles, w.outs, w.outs, 1, 1, 1, 1, 0, 0, 1, 1};
}

// The first place of a row of tiles.
static inline long find_place(const Window& w, const Rows& rows, long row) {
  return (row / rows.of_image * w.out_height + row % rows.of_image * 2) * w.out_width;
}

CODSL_INLINE void transform_in(Vector (&d)[SIDE]) {
  const Vector first = d[0] - d[2], last = d[1] - d[3], sum = d[1] + d[2], difference = d[2] - d[1];
  d[0] = first, d[1] = sum, d[2] = difference, d[3] = last;
}

// A vector of channels of what a tile reads, to where its positions lie `apart`.
template <bool WHOLE>
CODSL_INLINE void transform_in(const R* const* places, R* to, long apart, long channel, long lanes) {
  Vector columns[SIDE][SIDE];
  CODSL_UNROLL for (int i = 0; i < SIDE; i++) {
    CODSL_UNROLL for (int j = 0; j < SIDE; j++)
      columns[i][j] = load_lanes<WHOLE>(places[j * SIDE + i] + channel, lanes);
    transform_in(columns[i]);
  }
  CODSL_UNROLL for (int j = 0; j < SIDE; j++) {
    Vector row[SIDE];
    CODSL_UNROLL for (int i = 0; i < SIDE; i++) row[i] = columns[i][j];
    transform_in(row);
    CODSL_UNROLL for (int i = 0; i < SIDE; i++)
      store_lanes<WHOLE>(to + (j * SIDE + i) * apart + channel, row[i], lanes);
  }
}

// What the tiles of rows from..stop read of one item.
static inline void read_tiles(R* to, const R* x, const Window& w, const Rows& rows, long from, long stop,
                              const R* zeros) {
  const long apart = (stop - from) * rows.columns * w.channels;
  for (long row = from; row < stop; row++) {
    const R* const image = x + row / rows.of_image * w.height * w.width * w.row;
    const long top = row % rows.of_image * 2 - w.pad_h;
    for (long column = 0; column < rows.columns; column++, to += w.channels) {
      const R* places[POSITIONS];
      for (long i = 0; i < SIDE; i++)
        for (long j = 0; j < SIDE; j++) {
          const long iy = top + i, ix = column * 2 - w.pad_w + j;
          const bool inside = iy >= 0 && iy < w.height && ix >= 0 && ix < w.width;
          places[i * SIDE + j] = inside ? image + (iy * w.width + ix) * w.row : zeros;
        }
      long channel = 0;
      for (; channel + LANES <= w.channels; channel += LANES)
        transform_in<true>(places, to, apart, channel, LANES);
      if (channel < w.channels) transform_in<false>(places, to, apart, channel, w.channels - channel);
    }
  }
}

CODSL_INLINE void transform_out(const Vector (&m)[SIDE], Vector& one, Vector& other) {
  one = m[0] + m[1] + m[2];
  other = m[1] - m[2] - m[3];
}

// A vector of outs of a tile whose positions lie `apart`, to the places that are not null.
template <bool WHOLE>
CODSL_INLINE void transform_out(const R* from, long apart, R* const* places, const R* bias, bool adds, long out,
                                long lanes) {
  Vector columns[2][SIDE];
  CODSL_UNROLL for (int i = 0; i < SIDE; i++) {
    Vector column[SIDE];
    CODSL_UNROLL for (int j = 0; j < SIDE; j++)
      column[j] = load_lanes<WHOLE>(from + (j * SIDE + i) * apart + out, lanes);
    transform_out(column, columns[0][i], columns[1][i]);
  }
  const Vector start = bias ? load_lanes<WHOLE>(bias + out, lanes) : Vector{};
  CODSL_UNROLL for (int j = 0; j < 2; j++) {
    Vector sums[2];
    transform_out(columns[j], sums[0], sums[1]);
    CODSL_UNROLL for (int i = 0; i < 2; i++) {
      R* const y = places[j * 2 + i];
      if (!y) continue;
      sums[i] += start;
      if (adds) sums[i] += load_lanes<WHOLE>(y + out, lanes);
      store_lanes<WHOLE>(y + out, sums[i], lanes);
    }
  }
}

// The results of the tiles of rows from..stop.
static inline void write_tiles(R* y, const R* from_tiles, const R* bias, bool adds, const Window& w, const Rows& rows,
                               long from, long stop) {
  const long apart = (stop - from) * rows.columns * w.outs;
  for (long row = from; row < stop; row++) {
    R* const line = y + find_place(w, rows, row) * w.out_row;
    const bool below = row % rows.of_image * 2 + 1 < w.out_height;
    for (long column = 0; column < rows.columns; column++, from_tiles += w.outs) {
      R* const at = line + column * 2 * w.out_row;
      const bool beside = column * 2 + 1 < w.out_width;
      R* const under = below ? at + w.out_width * w.out_row : nullptr;
      R* const places[] = {at, beside ? at + w.out_row : nullptr, under, below && beside ? under + w.out_row : nullptr};
      long out = 0;
      for (; out + LANES <= w.outs; out += LANES)
        transform_out<true>(from_tiles, apart, places, bias, adds, out, LANES);
      if (out < w.outs) transform_out<false>(from_tiles, apart, places, bias, adds, out, w.outs - out);
    }
  }
}

// The products of all positions of so many tiles of one item; `w` has them as places that read their own rows.
static inline void multiply_tiles(R* to, const R* from, const R* weights, bool adds, const Window& w, const Layout& l,
                                  Ahead& ahead) {
  const long tiles = w.width, matrix = ceiling(w.outs, LANES) * LANES * w.channels;
  for (int position = 0; position < POSITIONS; position++) {
    const Item item = {from + position * tiles * w.channels, weights + position * matrix};
    R* const y = to + position * tiles * w.outs;
    for (long first = 0; first < tiles; first += l.block)
      add_item(y, item, nullptr, adds, w, l, first, smaller(first + l.block, tiles), ahead);
  }
}

template <class After>
static void winograd(R* y, const Item* items, int count, const R* bias, bool adds, const Window& w, Images images,
                     Ahead& ahead, After after) {
  static thread_local Transformed transformed;
  Scratch& scratch = own_scratch();
  grow(scratch.zeros, w.channels);
  const Rows rows = choose_rows(w, images);
  const long all = (rows.stop - rows.from) * rows.columns;
  ahead.spread(POSITIONS * count_breaths(w, choose_layout(as_places(w, all), all), count, all));
  for (long from = rows.from; from < rows.stop; from += rows.block) {
    const long stop = smaller(from + rows.block, rows.stop), tiles = (stop - from) * rows.columns;
    const Window plain = as_places(w, tiles);
    const Layout layout = choose_layout(plain, tiles);
    R* const in = find_room(transformed.in, POSITIONS * tiles * w.channels);
    R* const out = find_room(transformed.out, POSITIONS * tiles * w.outs);
    for (int i = 0; i < count; i++) {
      read_tiles(in, items[i].x, w, rows, from, stop, scratch.zeros.data());
      multiply_tiles(out, in, items[i].w, i > 0, plain, layout, ahead);
    }
    write_tiles(y, out, bias, adds, w, rows, from, stop);
    after(find_place(w, rows, from), find_place(w, rows, stop));
  }
}

}  // namespace codsl
