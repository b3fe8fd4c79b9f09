"""Build, check or repair the console: python -m scripts.console build|check|repair

build     builds app/console/dist if the sources changed since; without a network for npm it warns, and the code is 0
check     runs tsc, eslint, prettier and vitest
repair    lets eslint and prettier repair what they can
"""

import sys

from scripts.console import build, checks
from scripts.console.sources import Console

ACTIONS = {"build": build.update, "check": checks.check, "repair": checks.repair}

if __name__ == "__main__":
    names = sys.argv[1:]
    if len(names) != 1 or names[0] not in ACTIONS:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(ACTIONS[names[0]](Console()))
