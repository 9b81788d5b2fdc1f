"""The catalogue of Amazon's operations: the closed world of what a desktop may ask for.

`operations.json` is made from Amazon's model files by `build.py`, with the facts that no model
holds from `facts.json`; `table.py` reads it once and finds the operation behind a method and path.
An operation that is not in it does not exist here (T-05).
"""
