"""Subscriptions: when a report is due, whether its data is there, whether it is worth a mail."""
