"""`python -m resolver.cli`: the command line, without the installed script."""

import sys

from resolver.cli import main

sys.exit(main())
