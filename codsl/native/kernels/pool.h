// What is around each place, pooled: (batch, channels) and three dimensions of space.
#pragma once
#include <limits>

namespace codsl {

struct Five { long of[5]; };
struct Three { long of[3]; };

template <class Visit>
inline void places(const Five& sizes, const Five& strides, Visit visit) {
  for (long b = 0; b < sizes.of[0]; ++b)
    for (long t = 0; t < sizes.of[2]; ++t)
      for (long h = 0; h < sizes.of[3]; ++h)
        for (long w = 0; w < sizes.of[4]; ++w) {
          const long at[3] = {t, h, w};
          visit(b, at, b * strides.of[0] + t * strides.of[2] + h * strides.of[3] + w * strides.of[4]);
        }
}

template <class Visit>
inline void around(const long* start, const long* stop, const long* step, Visit visit) {
  for (long t = start[0]; t < stop[0]; t += step[0])
    for (long h = start[1]; h < stop[1]; h += step[1])
      for (long w = start[2]; w < stop[2]; w += step[2]) visit(t, h, w);
}

template <class T>
inline void largest(const T* x, T* y, Five x_sizes, Five x_strides, Five y_sizes, Five y_strides, Three kernel,
                    Three stride, Three padding, Three dilation) {
  const long channels = y_sizes.of[1], c_in = x_strides.of[1], c_out = y_strides.of[1];
  places(y_sizes, y_strides, [&](long b, const long* at, long out) {
    T* to = y + out;
    for (long c = 0; c < channels; ++c) to[c * c_out] = -std::numeric_limits<T>::infinity();
    long start[3], stop[3];
    for (int d = 0; d < 3; ++d) {
      start[d] = at[d] * stride.of[d] - padding.of[d];
      stop[d] = start[d] + (kernel.of[d] - 1) * dilation.of[d] + 1;
      while (start[d] < 0) start[d] += dilation.of[d];
      if (stop[d] > x_sizes.of[2 + d]) stop[d] = x_sizes.of[2 + d];
    }
    around(start, stop, dilation.of, [&](long t, long h, long w) {
      const T* from = x + b * x_strides.of[0] + t * x_strides.of[2] + h * x_strides.of[3] + w * x_strides.of[4];
      if (c_in == 1 && c_out == 1) {
#pragma GCC ivdep
        for (long c = 0; c < channels; ++c) to[c] = from[c] > to[c] || from[c] != from[c] ? from[c] : to[c];
      } else {
        for (long c = 0; c < channels; ++c) {
          const T v = from[c * c_in];
          if (v > to[c * c_out] || v != v) to[c * c_out] = v;
        }
      }
    });
  });
}

// `how`: whether padding counts, and the divisor, if it is given.
template <class T>
inline void mean(const T* x, T* y, Five x_sizes, Five x_strides, Five y_sizes, Five y_strides, Three kernel,
                 Three stride, Three padding, Three how) {
  const long channels = y_sizes.of[1], c_in = x_strides.of[1], c_out = y_strides.of[1];
  const long ones[3] = {1, 1, 1};
  places(y_sizes, y_strides, [&](long b, const long* at, long out) {
    T* to = y + out;
    for (long c = 0; c < channels; ++c) to[c * c_out] = 0;
    long start[3], stop[3], padded = 1, inside = 1;
    for (int d = 0; d < 3; ++d) {
      const long size = x_sizes.of[2 + d];
      start[d] = at[d] * stride.of[d] - padding.of[d];
      stop[d] = start[d] + kernel.of[d];
      if (stop[d] > size + padding.of[d]) stop[d] = size + padding.of[d];
      padded *= stop[d] - start[d];
      if (start[d] < 0) start[d] = 0;
      if (stop[d] > size) stop[d] = size;
      inside *= stop[d] - start[d];
    }
    around(start, stop, ones, [&](long t, long h, long w) {
      const T* from = x + b * x_strides.of[0] + t * x_strides.of[2] + h * x_strides.of[3] + w * x_strides.of[4];
#pragma GCC ivdep
      for (long c = 0; c < channels; ++c) to[c * c_out] += from[c * c_in];
    });
    const T divisor = T(how.of[1] ? how.of[1] : how.of[0] ? padded : inside);
    for (long c = 0; c < channels; ++c) to[c * c_out] /= divisor;
  });
}

}  // namespace codsl
