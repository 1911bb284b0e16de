"""`gpu-sharing pools`: the pools that are there, those that should be, and how to get there."""
