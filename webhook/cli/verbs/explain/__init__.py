"""`gpu-sharing explain`: why a pod has its GPU."""
