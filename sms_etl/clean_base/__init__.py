"""Why messages fail, who should not be written to any more, and what that saves."""
