"""What was meant: blocks expanded, parameters put in, every layer with its arguments."""
