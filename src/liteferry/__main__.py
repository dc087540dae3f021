"""``python -m liteferry``."""

import sys

from liteferry.cli import main

sys.exit(main())
