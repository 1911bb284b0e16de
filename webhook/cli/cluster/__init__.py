"""Reads of a live cluster with the caller's own rights, shared by the verbs."""
