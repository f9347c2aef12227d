"""The files of a recorded day: what is read, and how each fault is told."""

from pathlib import Path

import pytest
from parkmesh_cli.errors import CliError
from parkmesh_cli.replay.files import Reading, read_free_spaces, read_lots

LOTS = "lot,name,city,capacity,address,latitude,longitude\n"
READINGS = "time,lot,free\n"


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_lots_are_read(tmp_path: Path) -> None:
    lots = read_lots(written(tmp_path, LOTS + 'a,"P, 1 ",X,10,Street 1,50.5,6.25\nb,Q,X,20,,,\n'))
    assert list(lots) == ["a", "b"]
    assert (lots["a"].name, lots["a"].capacity, lots["a"].position) == ("P, 1", 10, (50.5, 6.25))
    assert (lots["b"].address, lots["b"].position) == ("", None)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert list(read_lots(written(tmp_path, "\ufeff" + LOTS + "a,P,X,1,,,\n"))) == ["a"]


def test_readings_are_read_in_order(tmp_path: Path) -> None:
    lots = read_lots(written(tmp_path, LOTS + "a,P,X,1,,,\nb,Q,X,2,,,\n"))
    text = "2100-01-01T00:00:01Z,b,5\n2100-01-01T08:00:02+08:00,a,-1\n2100-01-01T00:00:03Z,b,4\n"
    start = 4_102_444_800_000
    assert read_free_spaces(written(tmp_path, READINGS + text), lots) == {
        "b": [Reading(start + 1000, 5), Reading(start + 3000, 4)],
        "a": [Reading(start + 2000, -1)],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the header lacks lot, name, capacity"),
        ("lot,name\n", "line 1: the header lacks capacity"),
        (LOTS, "holds no lot"),
        (LOTS + "a,P,X,1,,,\n\nb,P,X,many,,,\n", "line 4: capacity must be a whole number"),
        (LOTS + "a,P,X,-1,,,\n", "line 2: a lot has"),
        (LOTS + ",P,X,1,,,\n", "line 2: a lot has"),
        (LOTS + "a,P,X,1,,,\na,P,X,1,,,\n", "line 3: this lot stands in the file already"),
        (LOTS + "a,P,X,1\n", "line 2: the row has not as many fields"),
        (LOTS + "a,P,X,1,,,,\n", "line 2: the row has not as many fields"),
        (LOTS + "a,P,X,1,,1.5,\n", "line 2: longitude must be a number"),
        (LOTS + "a,P,X,1,,nan,1\n", "line 2: the position lies outside"),
        (LOTS + 'a,"P,X,1,,1.5,\n', "not a CSV file"),
        (LOTS.encode() + b"\xff\n", "not UTF-8"),
    ],
)
def test_faults_of_lots_name_file_and_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(CliError, match=said) as caught:
        read_lots(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2100-01-01T00:00:00Z,x,1\n", "line 2: the file of lots does not hold this lot"),
        ("2100-01-01T00:00:00,a,1\n", "line 2: time must be a time with an offset"),
        ("2100-01-01T00:00:00Z,a,1.5\n", "line 2: free must be a whole number"),
        ("2100-01-01T00:00:00Z,a,1\n2100-01-01T00:00:00Z,a,2\n", "line 3: the time does not lie after"),
    ],
)
def test_faults_of_readings_name_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    lots = read_lots(written(tmp_path, LOTS + "a,P,X,1,,,\n"))
    with pytest.raises(CliError, match=said):
        read_free_spaces(written(tmp_path, READINGS + text), lots)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="no such file"):
        read_lots(tmp_path / "none.csv")
