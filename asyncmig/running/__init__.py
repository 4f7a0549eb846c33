"""Running history: a path through the graph, walked against the database under the lock."""
