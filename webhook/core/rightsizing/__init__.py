"""What workloads use of the GPUs that they hold, and what they need."""
