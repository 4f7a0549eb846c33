"""Looking before leaping: what a plan would lose, what does not fit the data."""
