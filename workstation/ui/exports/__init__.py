"""Handing reports on: the export dialog, printing, the clipboard."""
