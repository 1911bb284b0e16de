"""The API server's client: lists, watches, caches and events."""
