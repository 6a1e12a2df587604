"""The own outbox beside the provider's log beside the invoice: what agrees and what does not."""
