"""``python -m oldschool``."""

import gc
import sys

# Most objects live to the end: a look through them after every 700 new ones, as is Python's habit,
# takes a tenth of the time of a run that has nothing to train; so it takes a third of that.
gc.set_threshold(20_000)

try:
    from oldschool.cli import main
except KeyboardInterrupt:  # nothing has begun, so there is nothing to say
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main())
