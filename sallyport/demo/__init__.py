"""The main job, told as a story on real parts: one seller's order travels through Sallyport, unattended."""
