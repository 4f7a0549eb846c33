"""The only room that knows which driver a database object belongs to."""
