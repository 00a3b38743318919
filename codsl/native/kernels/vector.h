// Shared by the kernels: one vector of numbers, loads and stores of whole and partial vectors, the arguments.
// Whoever includes this has defined the number type R and LANES, the numbers in one vector.
#pragma once

#include <cstring>

namespace codsl {

typedef R Vector __attribute__((vector_size(LANES * sizeof(R))));
typedef R LooseVector __attribute__((vector_size(LANES * sizeof(R)), aligned(alignof(R)), may_alias));

struct Item {
  const R* x;
  const R* w;
};

struct Window {
  long height, width, channels, row;
  long out_height, out_width, outs, out_row;
  long kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
};

// Those of the batch that a call is for.
struct Images {
  long from, to;
};

#define CODSL_INLINE static inline __attribute__((always_inline))

// Loops over registers: the numbers only stay in registers when the loop is gone.
#ifdef __clang__
#define CODSL_UNROLL _Pragma("clang loop unroll(full)")
#else
#define CODSL_UNROLL _Pragma("GCC unroll 32")
#endif

#if defined(__AVX512F__)
#define CODSL_REGISTERS 32
#define CODSL_REGISTER_BYTES 64
#define CODSL_REGISTER_KIND "+v"
#elif defined(__AVX__)
#define CODSL_REGISTERS 16
#define CODSL_REGISTER_BYTES 32
#define CODSL_REGISTER_KIND "+x"
#elif defined(__SSE2__)
#define CODSL_REGISTERS 16
#define CODSL_REGISTER_BYTES 16
#define CODSL_REGISTER_KIND "+x"
#elif defined(__aarch64__)
#define CODSL_REGISTERS 32
#define CODSL_REGISTER_BYTES 16
#define CODSL_REGISTER_KIND "+w"
#else
#define CODSL_REGISTERS 16
#define CODSL_REGISTER_BYTES 0
#define CODSL_REGISTER_KIND "+m"
#endif

// Has a vector stay in its register, where the compiler would rather load it again for every use.
template <class Register>
CODSL_INLINE void keep(Register& vector) {
  if constexpr (sizeof(Register) <= CODSL_REGISTER_BYTES) asm("" : CODSL_REGISTER_KIND(vector));
}

// Has a pointer move step by step, where the compiler would rather keep one register for every step.
CODSL_INLINE void keep(const R*& pointer) { asm("" : "+r"(pointer)); }

// Has the compiler load nothing ahead, into registers that the sums need.
CODSL_INLINE void load_no_further() { asm volatile("" ::: "memory"); }

CODSL_INLINE Vector load(const R* from) { return *reinterpret_cast<const LooseVector*>(from); }

CODSL_INLINE void store(R* to, Vector value) { *reinterpret_cast<LooseVector*>(to) = value; }

// The first `count` numbers, zeros after them.
static inline __attribute__((noinline)) Vector load_part(const R* from, long count) {
  Vector value = {};
  if (count > 0) std::memcpy(&value, from, sizeof(R) * (count < LANES ? count : LANES));
  return value;
}

static inline __attribute__((noinline)) void store_part(R* to, Vector value, long count) {
  if (count > 0) std::memcpy(to, &value, sizeof(R) * (count < LANES ? count : LANES));
}

template <bool WHOLE>
CODSL_INLINE Vector load_lanes(const R* from, long count) {
  return WHOLE ? load(from) : load_part(from, count);
}

template <bool WHOLE>
CODSL_INLINE void store_lanes(R* to, Vector value, long count) {
  if (WHOLE) store(to, value);
  else store_part(to, value, count);
}

static constexpr long smaller(long a, long b) { return a < b ? a : b; }
static constexpr long larger(long a, long b) { return a > b ? a : b; }
static constexpr long ceiling(long a, long b) { return (a + b - 1) / b; }

}  // namespace codsl
