"""What enforcement would make of what exists in a cluster."""
