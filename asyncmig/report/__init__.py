"""One file to look at: the JSON documents of other commands as a page of HTML, or as Markdown.

``figures`` asks the server; all the rest is pure: documents in, text out.
"""
