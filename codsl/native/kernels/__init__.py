"""The kernels, in C++: read as text, and put before what is written for a graph."""
