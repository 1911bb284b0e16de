"""Pod and policy to a decision: classify, allowed, select, affinity, diagnosis."""
