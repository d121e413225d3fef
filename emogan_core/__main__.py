"""`python -m emogan_core` is `emogan`."""

import sys

from .cli import main

sys.exit(main())
