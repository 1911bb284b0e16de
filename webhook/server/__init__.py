"""The HTTPS edge: AdmissionReview bytes in and out, TLS, trail and metrics; decides nothing."""
