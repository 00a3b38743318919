"""`python -m codsl`."""

import sys

from codsl.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
