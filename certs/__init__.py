"""The certificate keeper (`python -m certs`); it meets the webhook only in a Secret."""
