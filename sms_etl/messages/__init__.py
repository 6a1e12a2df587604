"""From landed records to one row per message."""
