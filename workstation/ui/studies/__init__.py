"""The study list."""
