"""`gpu-sharing pods`: which pods hold which GPUs."""
