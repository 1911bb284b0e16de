"""Commands that look at a live cluster, as whoever calls them; nothing here changes anything."""
