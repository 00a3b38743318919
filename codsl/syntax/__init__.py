"""Both surfaces of the language, and the one tree they give."""
