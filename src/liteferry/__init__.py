"""Move a SQLite database to PostgreSQL, prove that every value arrived, and be able to undo it."""

__version__ = "0.1.0"
