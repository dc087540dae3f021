"""Notes with labels."""
