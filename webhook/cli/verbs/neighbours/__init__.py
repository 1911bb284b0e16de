"""`gpu-sharing neighbours`: who shares silicon with whom, and by which path."""
