"""Which messages broke a rule of law or of the house, each with its evidence. Not legal advice."""
