"""One command, or a few that belong together, per module; imported when they run."""
