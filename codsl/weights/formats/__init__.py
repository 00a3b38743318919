"""The files that tensors come in, one format a file."""
