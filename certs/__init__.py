"""The webhook's certificates (`python -m certs`), which reach the webhook only by a Secret."""
