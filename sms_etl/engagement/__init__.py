"""Replies, stop lists and clicks: landed apart from the messages and rebuilt from landing."""
