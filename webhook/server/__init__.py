"""The HTTPS edge: AdmissionReviews, TLS, the audit log and metrics."""
