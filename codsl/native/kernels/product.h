// A product of two matrices that both come in a step.
#pragma once

namespace codsl {

// y (rows, columns) = x (rows, inner) times w (inner, columns), each with its two strides.
template <class T>
inline void multiply(long rows, long columns, long inner, const T* x, long x_row, long x_step, const T* w, long w_row,
                     long w_step, T* y, long y_row, long y_step) {
  for (long i = 0; i < rows; ++i) {
    const T* a = x + i * x_row;
    T* c = y + i * y_row;
    if (w_step == 1 && y_step == 1) {
      for (long j = 0; j < columns; ++j) c[j] = 0;
      for (long k = 0; k < inner; ++k) {
        const T factor = a[k * x_step];
        const T* b = w + k * w_row;
#pragma GCC ivdep
        for (long j = 0; j < columns; ++j) c[j] += factor * b[j];
      }
      continue;
    }
    for (long j = 0; j < columns; ++j) {
      const T* b = w + j * w_step;
      T sums[8] = {};
      long k = 0;
      if (w_row == 1 && x_step == 1)
        for (; k + 8 <= inner; k += 8)
          for (long n = 0; n < 8; ++n) sums[n] += a[k + n] * b[k + n];
      T sum = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
      for (; k < inner; ++k) sum += a[k * x_step] * b[k * w_row];
      c[j * y_step] = sum;
    }
  }
}

}  // namespace codsl
