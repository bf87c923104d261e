"""Drafting: the engine on a thread of its own, what is asked of it, and its redrafts and races."""
