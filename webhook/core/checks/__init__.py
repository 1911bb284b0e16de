"""Rules on a pod as it stands: one file a check, joined by the registry."""
