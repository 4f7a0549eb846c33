"""A small wallet service: users top up, and look at what they have."""
