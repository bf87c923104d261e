"""View Position (PS3.3 C.8.1.3): which of its values are frontal chest views."""

FRONTAL_VIEWS = ("PA", "AP")
