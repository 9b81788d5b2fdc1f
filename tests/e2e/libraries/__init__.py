"""SP-API client libraries, unmodified: one program each, told what to do line by line; see `programs`."""
