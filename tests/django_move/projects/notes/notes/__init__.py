"""Notes, with comments on anything."""
