"""`python -m resolver.cli`: the command line without an installed script."""

import sys

from resolver.cli import main

sys.exit(main())
