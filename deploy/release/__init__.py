"""What a release consists of, made by `python -m deploy.release`."""
