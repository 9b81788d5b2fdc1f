"""`sallyport sellers`: who the vendor's sellers are, how one comes, and how one leaves for good."""
