"""Writing history: database and models become two states, two states become operations, operations a file."""
