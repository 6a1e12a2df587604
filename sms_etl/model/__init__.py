"""The tables as data: vocabularies and schemas that every other room speaks."""
