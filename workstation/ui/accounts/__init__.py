"""Logging in, the locked screen, and keeping accounts."""
