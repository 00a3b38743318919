"""How modules run: laid out as a graph; over a clip at once, or as streams with a state each."""
