"""``python -m oldschool``."""

import sys

from oldschool.cli import main

if __name__ == "__main__":
    sys.exit(main())
