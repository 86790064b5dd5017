"""Checks: named functions that look at evidence and say what they see."""
