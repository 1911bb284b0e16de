"""The HTTP server: a gunicorn worker that serves all connections in one loop."""
