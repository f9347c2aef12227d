"""Findings of a census, written into the register."""

import asyncio
from collections.abc import Sequence
from typing import Final

from mesh.clock import Ids
from parkmesh.registry.v1.survey_service_pb2 import SURVEY_OUTCOME_CHANGED, SURVEY_OUTCOME_NEW

from registry.static.register import entered
from registry.storage.kinds import GRANT, LOT, Kind, M
from registry.storage.writer import Writer
from registry.surveys.comparison import Finding

_ROWS_AT_ONCE: Final = 50
"""After so many, whatever else waits for the event loop has its turn."""


async def apply(facts: Writer, kind: Kind[M], findings: Sequence[Finding], ids: Ids) -> None:
    """Writes what is new and what is changed, and puts the keys of new lots into their findings. The register is the
    one that the findings were made of.
    """
    written = [finding for finding in findings if finding.outcome in (SURVEY_OUTCOME_NEW, SURVEY_OUTCOME_CHANGED)]
    for finding in written:
        if not finding.key:
            finding.key = finding.message.lot_id = ids.new(LOT.name)
    keys = [finding.key for finding in written]
    await facts.prefetch(kind, keys, {name for finding in written for name in kind.names(finding.message)})
    if kind.name == LOT.name:
        await facts.prefetch(GRANT, [f"{facts.by.subject}/{key}" for key in keys])
    for at, finding in enumerate(written):
        if at % _ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
        if finding.outcome == SURVEY_OUTCOME_CHANGED:
            await facts.set(finding.message)
        elif kind.name == LOT.name:
            await entered(facts, facts.by, finding.message)
        else:
            await facts.add(finding.message)
        finding.message = None  # the writer has it: thousands of them need not be held twice
