"""Sphinx: Markdown pages, and the reference from docstrings. ``nox -s docs`` builds it; a broken link is an error."""

from asyncmig import __version__

project = "asyncmig"
author = "The asyncmig developers"
copyright = "2026, The asyncmig developers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "asyncmig"
html_baseurl = "https://asyncmig.readthedocs.io/en/latest/"  # lint's findings lead to pages below it
autodoc_typehints = "description"
autodoc_member_order = "bysource"
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # a console may show anything
smartquotes = False  # `--plan` stays what one types
nitpicky = True
nitpick_ignore_regex = [
    # types of the standard library, of drivers, and of our own inner modules are shown by their names alone
    (r"py:.*", r"(?!asyncmig\.(errors|events|fastapi|testing\.server|\w+$)).*"),
]
