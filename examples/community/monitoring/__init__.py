"""Programmes and projects of other offices that are monitored."""
