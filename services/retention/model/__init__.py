"""Retention's values and rules: pure, no I/O, no clock; `now` is an argument.

One file per subject: `orders` (what is known about an order, and when its data must die), `records` (what
lies in the safe, and where), `erasures` (what is erased, how far, and the proof), `audit`, `errors`.
"""
