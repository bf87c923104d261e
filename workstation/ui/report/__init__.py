"""The report column: text, statements, signing."""
