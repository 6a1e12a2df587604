"""Measurements of what the project claims; each writes a page of docs/."""
