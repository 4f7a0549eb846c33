"""Sphinx: Markdown pages, and the reference from the docstrings. ``nox -s docs`` builds it."""

from asyncmig import __version__

project = "asyncmig"
author = "The asyncmig developers"
copyright = "2026, The asyncmig developers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
autodoc_typehints = "description"
autodoc_member_order = "bysource"
myst_heading_anchors = 3
