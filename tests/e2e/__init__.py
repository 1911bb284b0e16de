"""Tests against a real Kubernetes cluster."""
