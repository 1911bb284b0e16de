"""Pools: what a node becomes by its configuration, and which pools serve a load best."""
