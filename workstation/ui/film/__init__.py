"""The films: which hangs where, loading, the viewports' places."""
