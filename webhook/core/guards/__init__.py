"""The rules on a pod as it stands, a small function each; `webhook.core.guard` joins them."""
