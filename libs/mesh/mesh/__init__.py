"""The one runtime every service starts with."""

import os

# gRPC reads this once, when it is first imported; without it every GOAWAY prints a line that is not JSON.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
