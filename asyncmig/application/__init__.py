"""The door that an application comes through: start-up policies, a lifespan, a readiness probe."""
