"""Films coming in: import, watched folder, pictures, what was refused."""
