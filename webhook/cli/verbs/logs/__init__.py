"""`gpu-sharing logs`: the webhook's audit log."""
