"""A Django project's move: its schema by its own migrations, its rows by liteferry, its evidence by its own ORM.

Layer 3.
"""
