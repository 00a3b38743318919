// What kernels after this one read or write first, fetched into the caches while this one computes.
#pragma once

#include "vector.h"

namespace codsl {

struct Span {
  const void* from;
  long bytes;
};

class Ahead {
 public:
  Ahead() = default;
  Ahead(const Span* spans, long count) : next_(spans), end_(spans + count) {
    for (const Span* span = spans; span < end_; span++) lines_ += ceiling(span->bytes, LINE);
  }

  // Has all be fetched in so many calls of `some`.
  void spread(long calls) { each_ = ceiling(lines_, larger(1, calls)) * LINE; }

  __attribute__((always_inline)) void some() {
    const char* const stop = at_ + smaller(each_, stop_ - at_);
    for (; at_ < stop; at_ += LINE) __builtin_prefetch(at_);
    if (at_ >= stop_ && next_ < end_) {
      at_ = static_cast<const char*>(next_->from);
      stop_ = at_ + next_->bytes;
      next_++;
    }
  }

 private:
  static constexpr long LINE = 64;  // bytes that are fetched at once

  const Span* next_ = nullptr;
  const Span* end_ = nullptr;
  const char* at_ = nullptr;
  const char* stop_ = nullptr;
  long lines_ = 0, each_ = 0;
};

}  // namespace codsl
