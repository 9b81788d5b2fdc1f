"""`sallyport people`: whom the vendor's operators let in, whom they put out, and who has access to what."""
