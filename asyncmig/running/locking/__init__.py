"""The lock: one document with a lease, kept alive beside the work."""
