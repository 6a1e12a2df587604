"""Figures as sums over the cube: rates that carry their own definition, times, reasons, money."""
