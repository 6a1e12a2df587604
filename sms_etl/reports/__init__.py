"""What a report contains (figures), how it is drawn and rendered, and its frozen editions."""
