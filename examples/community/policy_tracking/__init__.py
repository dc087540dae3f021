"""Policy recommendations and what became of them."""
