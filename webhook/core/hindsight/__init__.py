"""A pod that exists, as the webhook left it: what was decided, and what it was before."""
