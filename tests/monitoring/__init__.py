"""Rules and dashboards against a real Prometheus."""
