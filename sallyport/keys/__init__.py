"""What operators do about sealing keys: rotate them, watch how far that has come, see how old they are."""
