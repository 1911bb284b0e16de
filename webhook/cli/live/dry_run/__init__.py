"""What would be decided of a pod if it were created now, told by the cluster or worked out here."""
