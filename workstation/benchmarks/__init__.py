"""Speed of what the reader sees; each says its machine, command and medians."""
