"""What a person noted becomes records, the same ones every time; what is wrong is told by line and column."""

from pathlib import Path

import pytest
from parkmesh.access.v1 import record_pb2
from parkmesh_cli.collect.columns import Column
from parkmesh_cli.collect.entries import Entries, entries
from parkmesh_cli.collect.sheet import read
from parkmesh_cli.errors import CliError
from parkmesh_cli.main import app
from typer.testing import CliRunner
from vocabulary import beijing
from vocabulary.plate import id_reveals_plate

ENGLISH = "time,direction,plate,plate colour,vehicle class,gate,lane,berth\n"
CHINESE = "进出时间；方向；号牌；号牌颜色；车辆类型；出入口；车道；备注\n".replace("；", ";")
LINE = "2026-03-14 08:30,entry,闽B12345,blue,small,1,2,\n"


def told(folder: Path, text: str, encoding: str = "utf-8", lot: str = "lot-1") -> Entries:
    (folder / "noted.csv").write_text(text, encoding=encoding)
    return entries(read(folder / "noted.csv"), lot)


def ids(found: Entries) -> list[str]:
    return [entry.record.record_id for entry in found.good]


def test_a_line_is_a_record(tmp_path: Path) -> None:
    ((line, record),), problems = told(tmp_path, ENGLISH + LINE)
    assert (line, problems) == (2, [])
    assert beijing.text(record.event_time.ToMilliseconds()) == "2026-03-14T08:30:00.000+08:00"
    record.ClearField("event_time")
    record.ClearField("record_id")
    assert record == record_pb2.AccessRecord(
        lot_id="lot-1",
        direction=record_pb2.DIRECTION_ENTRY,
        plate_number="闽B12345",
        plate_colour=record_pb2.PLATE_COLOUR_BLUE,
        plate_state=record_pb2.PLATE_STATE_READ,
        vehicle_class=record_pb2.VEHICLE_CLASS_SMALL,
        gate_id="1",
        lane_id="2",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_both_languages_and_every_encoding_make_the_same_record(tmp_path: Path, encoding: str) -> None:
    same = told(tmp_path, CHINESE + "2026/3/14 8:30:00;入场;闽Ｂ·12345;蓝色;小型车;1;2;晴\r\n", encoding)
    other = told(tmp_path, ENGLISH + LINE)
    assert same.problems == []
    assert same == other


def test_a_plate_not_read_and_a_vehicle_without_one_are_two_things(tmp_path: Path) -> None:
    rest = "2026-03-14 08:30,out,{},,大型车,,,路内-7\n"
    found = told(tmp_path, ENGLISH + rest.format("") + rest.format("无牌车"))
    assert [entry.record.plate_state for entry in found.good] == [
        record_pb2.PLATE_STATE_UNREAD,
        record_pb2.PLATE_STATE_UNLICENSED,
    ]
    assert {entry.record.plate_number for entry in found.good} == {""}
    assert {entry.record.berth_id for entry in found.good} == {"路内-7"}


def test_the_same_file_makes_the_same_ids_and_a_continued_one_too(tmp_path: Path) -> None:
    second = LINE.replace("闽B12345", "闽B54321")
    once = told(tmp_path, ENGLISH + LINE + second)
    assert len(set(ids(once))) == 2
    continued = told(tmp_path, ENGLISH + LINE + "\n" + second + LINE.replace("08:30", "09:30"))
    assert ids(continued)[:2] == ids(once)
    assert continued.good[2].line == 5
    assert len({*ids(continued), *ids(told(tmp_path, ENGLISH + LINE, lot="lot-2"))}) == 4


def test_the_id_tells_nothing_of_the_plate(tmp_path: Path) -> None:
    first, other = (told(tmp_path, ENGLISH + LINE.replace("闽B12345", plate)) for plate in ("闽B12345", "粤ZAB12港"))
    assert ids(first) == ids(other)
    assert not id_reveals_plate(ids(first)[0], "闽B12345")


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("14.03.2026 08:30,entry,闽B12345,blue,small,1,2,", Column.TIME),
        ("2026-03-14T08:30:00Z,entry,闽B12345,blue,small,1,2,", Column.TIME),
        ("2026-02-30 08:30,entry,闽B12345,blue,small,1,2,", Column.TIME),
        ("2026-03-14 08:30,through,闽B12345,blue,small,1,2,", Column.DIRECTION),
        ("2026-03-14 08:30,entry,B12345,blue,small,1,2,", Column.PLATE),
        ("2026-03-14 08:30,entry,闽B12345,,small,1,2,", Column.PLATE_COLOUR),
        ("2026-03-14 08:30,entry,,blue,small,1,2,", Column.PLATE_COLOUR),
        ("2026-03-14 08:30,entry,闽B12345,blue,,1,2,", Column.VEHICLE_CLASS),
        ("2026-03-14 08:30,entry,闽B12345,blue,small,1,,", Column.LANE),
        ("2026-03-14 08:30,entry,闽B12345,blue,small,,2,", Column.GATE),
        ("2026-03-14 08:30,entry,闽B12345,blue,small,,,", Column.GATE),
        ("2026-03-14 08:30,entry,闽B12345,blue,small,1,2,7", Column.BERTH),
        (f"2026-03-14 08:30,entry,闽B12345,blue,small,,,{'7' * 65}", Column.BERTH),
        ("2026-03-14 08:30,entry,闽B12345", Column.VEHICLE_CLASS),
    ],
)
def test_what_is_wrong_is_named_and_never_repeated(tmp_path: Path, line: str, column: Column) -> None:
    good, problems = told(tmp_path, ENGLISH + LINE.replace("08:30", "07:30") + line + "\n")
    assert len(good) == 1
    assert column in {problem.column for problem in problems}
    assert {problem.line for problem in problems} == {3}
    assert not any("12345" in problem.english + problem.chinese for problem in problems)


def test_a_vehicle_cannot_pass_twice_at_once(tmp_path: Path) -> None:
    _, (problem,) = told(tmp_path, ENGLISH + LINE + LINE)
    assert (problem.line, problem.column) == (3, Column.PLATE)
    assert "line 2" in problem.english
    assert "第2行" in problem.chinese


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (ENGLISH, "no line"),
        ("time,plate\n1,2\n", "lacks 表头缺少: direction 方向, plate colour 号牌颜色, vehicle class 车辆类型"),
        (ENGLISH.replace("berth", "时间") + LINE, "twice in the heading 表头重复: time"),
        (ENGLISH + LINE.strip() + ",x,y\n", "line 2: more cells"),
        (ENGLISH + LINE + '"open\n', "line 3: a quoted cell"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CliError, match=said):
        told(tmp_path, text)


def test_nothing_is_asked_of_the_platform_while_a_line_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "noted.csv").write_text(ENGLISH + LINE + LINE)
    result = CliRunner().invoke(app, ["collect", str(tmp_path / "noted.csv"), "--lot", "lot-1"])
    assert result.exit_code == 1
    assert result.stdout.startswith("line 第3行, plate 号牌: ")
    assert "Nothing was uploaded" in result.stderr


def test_a_check_shows_what_would_be_uploaded_without_the_plates(tmp_path: Path) -> None:
    (tmp_path / "noted.csv").write_text(ENGLISH + LINE)
    result = CliRunner().invoke(app, ["collect", str(tmp_path / "noted.csv"), "--lot", "lot-1", "--check"])
    assert result.exit_code == 0, result.output
    assert "2026-03-14 08:30:00" in result.stdout
    assert "闽B·1**45" in result.stdout
    assert "闽B12345" not in result.stdout


def test_who_has_not_logged_in_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "noted.csv").write_text(ENGLISH + LINE)
    arguments = ["collect", str(tmp_path / "noted.csv"), "--lot", "lot-1", "--session", str(tmp_path / "none.json")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "parkmesh login" in result.stderr
