"""The draft as it fills in: rail, live text, asking the model."""
