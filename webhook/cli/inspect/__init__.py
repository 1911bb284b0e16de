"""Decisions read backwards, for people: annotations, affinity and denials."""
