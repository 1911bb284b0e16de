"""Projects whose objects make pods: one module each, found by `registry`."""
