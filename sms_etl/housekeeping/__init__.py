"""Keeping a deployment small and lawful: retention, upkeep of tables, erasure, export, keys."""
