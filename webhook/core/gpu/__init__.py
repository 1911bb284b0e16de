"""What nodes offer: the table of strategies, the dialects of nodes, the inventory."""
