"""Speed of what the reader sees, and how damaged files fare; each says its command and figures."""
