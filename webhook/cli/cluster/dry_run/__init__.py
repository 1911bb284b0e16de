"""A pod created anew in a dry run, and what came of it."""
