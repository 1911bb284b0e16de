"""Who has which GPU."""
