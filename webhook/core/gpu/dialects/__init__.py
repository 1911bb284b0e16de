"""Node dialects: one file for each system that labels GPU nodes."""
