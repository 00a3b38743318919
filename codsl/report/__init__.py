"""What becomes of a report: from plain data to what people look at."""
