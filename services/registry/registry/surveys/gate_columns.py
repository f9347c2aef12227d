"""The columns of a census of gates, in a template's order."""

from typing import Final

from registry.surveys import cells, words
from registry.surveys.column import ADDRESS, LOT_NUMBER, PLACE, STATE, Column, entries, one_of, text

GATES: Final = (
    LOT_NUMBER,
    Column(
        "gateId",
        "出入口编号",
        "gate_id",
        text("gate_id"),
        "The gate's number within the lot, as records name it",
        "停车场内的出入口编号，与进出记录一致",
        "1",
        ("gateNumber",),
        needed=True,
        identifies=True,
    ),
    Column(
        "name",
        "出入口名称",
        "name",
        text("name"),
        "Road, ordinal, and 入口, 出口 or 出入口",
        "道路名+序号+入口、出口或出入口",
        "文献路一号出入口",
        ("名称",),
        needed=True,
    ),
    Column(
        "lanes",
        "车道",
        "lanes",
        entries("lanes", cells.lanes),
        f"Lanes as number:direction, the directions {one_of(words.DIRECTIONS)}",
        f"“编号:方向”，方向为{one_of(words.DIRECTIONS)}",
        "1:入,2:出",
        needed=True,
    ),
    ADDRESS,
    *PLACE,
    STATE,
)
