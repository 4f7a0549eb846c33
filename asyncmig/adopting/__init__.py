"""Taking over an existing database: models written from it, a baseline revision, the history of another tool."""
