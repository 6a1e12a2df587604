"""One module per provider: how to pull a window, and how to read its records."""
