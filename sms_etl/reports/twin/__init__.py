"""The interactive page: the cube it carries, how it is packed, and the scripts that read it."""
