"""What sellers sell, as the APIs around it see it: accounts, the catalogue, listings, stock and fees."""
