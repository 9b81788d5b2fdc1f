"""`python -m sallyport` is the console script `sallyport`."""

import sys

import sallyport.cli

if __name__ == "__main__":
    sys.exit(sallyport.cli.main())
