"""One pod: how it got its GPU, and what it would get now."""
