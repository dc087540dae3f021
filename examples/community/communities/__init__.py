"""Communities and what is known of each of them."""
