"""The vendor's application at Amazon, for operators: register it, see its client secrets' dates, renew them.

A secret is read from standard input or typed without echo; it is never an argument, and never shown.
"""
