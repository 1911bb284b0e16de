"""What Prometheus has of GPUs: queries, their answers, and devices made of them."""
