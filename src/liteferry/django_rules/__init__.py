"""What Django's rules make of a project's columns, and where project, file and target differ.

Layer 1, pure. Works on what the project said (`liteferry.project`) and on both catalogues; asks nobody.
"""
