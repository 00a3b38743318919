"""A step as plain C++, which keeps the state of its streams itself."""
