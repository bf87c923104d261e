"""The audit log on screen: rows, one row in full, checks, exports, and figures made from it."""
