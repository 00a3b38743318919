"""The table of layers: a row is a small frozen class, and the table is the rows that exist."""
