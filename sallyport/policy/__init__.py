"""`sallyport policy`: look at a policy file before a gateway does. Nothing is started or dialled."""
