// The convolutions as functions that are compiled once, for whatever follows.
#pragma once

namespace codsl {

void dense(R* y, const Item* items, int count, const R* bias, bool adds, const Window& window,
           Images images, Ahead& ahead, const Follow& after);
void winograd(R* y, const Item* items, int count, const R* bias, bool adds, const Window& window,
              Images images, Ahead& ahead, const Follow& after);
void depthwise(R* y, const Item* items, int count, const R* bias, bool adds, const Window& window,
               Images images, Ahead& ahead, const Follow& after);

}  // namespace codsl
