"""Words and typed views of the Kubernetes and NVIDIA APIs that the decision reads."""
