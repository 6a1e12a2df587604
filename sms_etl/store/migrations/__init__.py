"""Alembic migrations of the warehouse; run by Warehouse.open, shipped with the package."""
