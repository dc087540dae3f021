"""Made-up rows for every model: the same ones for the same seed and scale.

Rows are written by bulk_create, so that no signal fires, and every time, key and number comes from one random
generator that is seeded. All names are made of syllables and belong to nobody.
"""
