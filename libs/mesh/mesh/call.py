"""The call that is running, as everything below the servicer may need to know it."""

import dataclasses
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesh.caller import Caller


@dataclasses.dataclass(slots=True)
class Call:
    """One call that a service is carrying out."""

    method: str
    """Its path, `/package.Service/Method`."""
    request_id: str
    """The id under which the caller can ask about it."""
    time_remaining: Callable[[], float | None]
    """Seconds until the caller gives up; None when it waits for ever."""
    caller: "Caller | None" = None
    """Who calls; None for a public method called without an assertion."""


running_call: ContextVar[Call | None] = ContextVar("parkmesh_running_call", default=None)
"""The call of this task; None outside of one."""
