"""`gpu-sharing why`: why a workload has no pods."""
