"""Reading the register as it was: what was true at a time, and what was known of it at another."""

from typing import Annotated

from google.protobuf.timestamp_pb2 import Timestamp

from parkmesh_cli.admin import moments

AsOf = Annotated[Timestamp | None, moments.option("--as-of", help="As it was then; unset: as it is now. 查询时点")]
Known = Annotated[
    Timestamp | None, moments.option("--known", help="By what had been reported until then; unset: by all. 知悉时点")
]
