"""``python -m oldschool``."""

import sys

try:
    from oldschool.cli import main
except KeyboardInterrupt:  # nothing has begun, so there is nothing to say
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main())
