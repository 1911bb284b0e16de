"""AdmissionReview bytes to values and back, and the review endpoints."""
