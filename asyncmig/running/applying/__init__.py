"""Applying operations on the schema and on single documents, each safe to run again; data in batches is next door."""
