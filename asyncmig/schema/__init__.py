"""The plain nouns of a schema: Index, Collection, View, and the state that both sides become."""
