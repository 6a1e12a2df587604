"""What the words and codes of each provider mean, as data with its sources."""
