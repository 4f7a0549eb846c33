"""For tests: a real MongoDB server, started and stopped by asyncmig."""
