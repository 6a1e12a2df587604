"""Signs of pumped traffic and of faked receipts: suspicions with evidence, never verdicts."""
