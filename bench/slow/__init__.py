"""Two thousand clients that are slow in every way, before the public door, and what they cost the others.

The door is the product's own, with TLS, in a process of its own; the face behind it answers at once.
"""
