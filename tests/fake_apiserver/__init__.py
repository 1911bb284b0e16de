"""A fake Kubernetes API server for all tests: real HTTP, versions, watches and faults."""
