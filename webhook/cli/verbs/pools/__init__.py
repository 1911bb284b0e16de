"""`gpu-sharing pools`: which pools of GPUs there are, which there should be, and how to get there."""
