"""Amazon, simulated: consent pages, Login with Amazon and the Selling Partner API, to test against.

One process, seeded, on a virtual clock. `python -m simulator --help` starts it, README.md describes it. The
package stands alone: it knows nothing of Sallyport's services, and they know nothing of it.
"""
