"""Runs the whole platform on this machine: `python -m local_platform`, which is what `make up` does."""

import os
import sys

from local_platform.up import main

sys.exit(main(os.environ))
