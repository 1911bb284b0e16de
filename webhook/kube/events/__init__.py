"""Events of Kubernetes, written in the background and counted when they repeat."""
