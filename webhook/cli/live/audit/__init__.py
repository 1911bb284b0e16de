"""What if enforcement were on: what exists, judged."""
