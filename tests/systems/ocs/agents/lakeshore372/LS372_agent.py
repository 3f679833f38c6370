"""A stand-in for the agent."""
