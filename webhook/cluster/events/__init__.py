"""Events for the cluster: a bounded queue, a thread, equal ones as one."""
