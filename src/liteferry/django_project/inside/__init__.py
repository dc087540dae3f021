"""What runs in the project's own interpreter: a program of its own, which imports nothing of liteferry.

`program` is started by its path (liteferry need not be installed there) and has the standard library of Python 3.8 and
the project's Django, whatever their versions, to itself; everything it learns goes back as JSON. One module a task.
"""
