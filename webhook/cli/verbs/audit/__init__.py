"""`gpu-sharing audit`: what would change if the webhook were on."""
