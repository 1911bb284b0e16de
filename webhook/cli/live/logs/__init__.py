"""The audit trail of all replicas, as one."""
