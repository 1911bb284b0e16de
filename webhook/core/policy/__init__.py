"""The policy as values, its file format and how it is loaded."""
