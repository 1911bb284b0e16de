"""The webhook at work on a sample cluster: `python -m examples.demo`."""
