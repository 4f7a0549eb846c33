"""What the pending revisions will meet in the database: asked beforehand, in numbers."""
