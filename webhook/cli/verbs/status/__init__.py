"""`gpu-sharing status`: the webhook's own state."""
