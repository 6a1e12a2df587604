"""The tables of the data files, a module for each subject."""
