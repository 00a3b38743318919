namespace codsl {

void dense(R* y, const Item* items, int count, const R* bias, bool adds, const Window& window,
           Images images, Ahead& ahead, const Follow& after) {
  dense<Follow>(y, items, count, bias, adds, window, images, ahead, after);
}

void winograd(R* y, const Item* items, int count, const R* bias, bool adds, const Window& window,
              Images images, Ahead& ahead, const Follow& after) {
  winograd<Follow>(y, items, count, bias, adds, window, images, ahead, after);
}

}  // namespace codsl
