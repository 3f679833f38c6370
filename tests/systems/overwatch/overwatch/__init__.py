"""A stand-in for the app."""
