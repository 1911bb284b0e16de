"""The decision, as frozen values and plain functions: no I/O, no clock, no threads."""
