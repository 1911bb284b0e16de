"""One workload: why its pods are not there, or wait."""
