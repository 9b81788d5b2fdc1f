"""Orders: how far they are, how they are found, shown and shipped."""
