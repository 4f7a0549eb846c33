"""What another tool's log says of a database, read by that tool's own rules; its collections are never changed."""
