"""Runs what the documentation shows, and compares it with what the documentation says: ``nox -s docs``.

The rules are written for authors in CONTRIBUTING.md, "Pages that run".
"""
