"""One module for each source: `CASE` says what it tells of the simulated world."""
