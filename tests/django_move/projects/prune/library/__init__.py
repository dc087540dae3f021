"""A library whose models are tied to each other in every way that Django has."""
