"""Rules on revision files: what is known to go wrong, told before anything runs. No database is needed."""
