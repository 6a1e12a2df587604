"""From a figure back to the messages it counts, and from a message back to what was landed."""
