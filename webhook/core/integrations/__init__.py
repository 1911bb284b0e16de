"""Other projects whose objects make pods: one file a project."""
