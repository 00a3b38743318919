namespace codsl {

void dense(R* y, const Item* items, int count, const R* bias, const Window& window, Ahead& ahead,
           const Follow& after) {
  dense<Follow>(y, items, count, bias, window, ahead, after);
}

void depthwise(R* y, const Item* items, int count, const R* bias, const Window& window, Ahead& ahead,
               const Follow& after) {
  depthwise<Follow>(y, items, count, bias, window, ahead, after);
}

}  // namespace codsl
