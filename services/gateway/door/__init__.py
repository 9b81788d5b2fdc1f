"""The public door's own HTTP/1.1: one request in, one answer out, whole or in a stream.

Owns connections from strangers. Never decides what a call may do: a face is handed each request and
answers it.
"""
