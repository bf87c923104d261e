"""The race view: strategies side by side on the same film. It never touches a report."""
