"""Statistics of each municipality, with their history."""
