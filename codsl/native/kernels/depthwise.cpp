namespace codsl {

void depthwise(R* y, const Item* items, int count, const R* bias, bool adds, const Window& window,
               Images images, Ahead& ahead, const Follow& after) {
  depthwise<Follow>(y, items, count, bias, adds, window, images, ahead, after);
}

}  // namespace codsl
