"""Mail: composing, sending, and the ledger that proves who got what."""
