"""The office's own projects, budgets and alerts."""
