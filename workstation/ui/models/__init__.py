"""Which model drafts: its choice, its loading, where it fits."""
