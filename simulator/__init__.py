"""Amazon, simulated: consent, LWA, tokens and orders, seeded and on a virtual clock."""
