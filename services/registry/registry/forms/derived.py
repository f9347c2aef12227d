"""What the platform derives from the stated facts of an object, once more.

Of an object that is put together from several changes, what was derived with one of them may not fit the others.
"""

from google.protobuf.message import Message
from parkmesh.registry.v1.berth_pb2 import Berth
from parkmesh.registry.v1.gate_pb2 import Gate
from parkmesh.registry.v1.lot_pb2 import Lot

from registry.forms import berth_count, lot, position
from registry.storage.kinds import M


def again(message: M) -> M:
    """A copy in which what is derived follows from the stated facts beside it; these were examined when they came."""
    copy = type(message)()
    copy.CopyFrom(message)
    _derive(copy)
    return copy


def _derive(message: Message) -> None:
    if isinstance(message, Lot | Gate | Berth):
        list(position.examine(message, ""))
    if isinstance(message, Lot):
        if message.berths:
            message.open_berths = 0
            list(berth_count.examine(message, ""))
        lot.set_flags(message)
