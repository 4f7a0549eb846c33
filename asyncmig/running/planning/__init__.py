"""What a revision would do: recorded, replayed or read off, without doing it."""
