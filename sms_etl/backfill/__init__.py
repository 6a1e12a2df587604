"""Pulling and rebuilding past days: first as a rehearsal, then in chunks that can be resumed."""
