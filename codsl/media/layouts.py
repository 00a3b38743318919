"""How numbers are written that come without a file, by FFmpeg's names."""

PICTURES = {"rgb24": 3, "gray": 1}
"""Bytes from 0 to 255 by rows, and their channels."""

NUMBERS = {"f32le": ("<f4", 1.0), "s16le": ("<i2", 32768.0)}
"""Numbers by frames, each `(C, *S)`, and what they are divided by."""

LAYOUTS = (*PICTURES, *NUMBERS)
