"""The stores: landing (immutable pages), the lake (Delta tables) and the warehouse (SQL)."""
