"""The `parkmesh` command: replays a real day, plays a simulated city, asks the history."""

import os

# gRPC reads this when it is first imported, and would otherwise write lines of its own between the command's.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
