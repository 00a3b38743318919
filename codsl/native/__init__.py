"""A graph of torch's operators as C++ of its own, with kernels written for steps of one frame."""
