"""How the webhook is, what is offered, who uses it."""
