namespace codsl {

void dense(R* y, const Item* items, int count, const R* bias, bool adds, const Window& window, const Follow& after) {
  dense<Follow>(y, items, count, bias, adds, window, after);
}

void depthwise(R* y, const Item* items, int count, const R* bias, bool adds, const Window& window, const Follow& after) {
  depthwise<Follow>(y, items, count, bias, adds, window, after);
}

}  // namespace codsl
