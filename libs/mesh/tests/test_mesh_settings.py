"""Settings: typed, complete, and silent about secrets."""

import dataclasses
import pathlib
import pickle
import traceback

import pytest
from mesh.settings import BaseSettings, Secret, SettingsError, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    redis_url: Secret = setting(Secret("redis://127.0.0.1"), shared="REDIS_URL")  # noqa: RUF009
    database_url: str = setting("", shared="DATABASE_URL")
    batch_size: int = 1000
    tolerance_seconds: float = 2.5
    strict: bool = False
    data: pathlib.Path = pathlib.Path("var")
    origins: tuple[str, ...] = ()
    audit: pathlib.Path | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demanding(BaseSettings):
    city: str = setting()


def test_defaults_and_every_type() -> None:
    assert Settings.from_env("ROOM", {"OTHER": "x", "ROOMS_X": "y"}) == Settings()
    environ = {
        "ROOM_LISTEN": "0.0.0.0:1",
        "ROOM_BATCH_SIZE": "7",
        "ROOM_TOLERANCE_SECONDS": "0.5",
        "ROOM_STRICT": "True",
        "ROOM_DATA": "/data",
        "ROOM_ORIGINS": "a, b,",
        "ROOM_AUDIT": "",
        "ROOM_TRACE_RATIO": "1",
    }
    settings = Settings.from_env("ROOM", environ)
    assert settings == Settings(
        listen="0.0.0.0:1",
        batch_size=7,
        tolerance_seconds=0.5,
        strict=True,
        data=pathlib.Path("/data"),
        origins=("a", "b"),
        trace_ratio=1.0,
    )
    assert Settings.from_env("ROOM", {"ROOM_AUDIT": "/a"}).audit == pathlib.Path("/a")


def test_shared_variable_yields_to_its_own() -> None:
    assert Settings.from_env("ROOM", {"REDIS_URL": "redis://a"}).redis_url == Secret("redis://a")
    both = {"REDIS_URL": "redis://a", "ROOM_REDIS_URL": "redis://b"}
    assert Settings.from_env("ROOM", both).redis_url.reveal() == "redis://b"


def test_everything_wrong_is_named_and_nothing_quoted() -> None:
    environ = {"ROOM_BATCH_SIZE": "canary1", "ROOM_STRICT": "canary2", "ROOM_BACH_SIZE": "canary3", "ROOM_X": "canary4"}
    with pytest.raises(SettingsError) as caught:
        Settings.from_env("ROOM", environ)
    told = str(caught.value)
    assert told == (
        "ROOM_BATCH_SIZE must be a int; ROOM_STRICT must be a bool; ROOM_BACH_SIZE is unknown; ROOM_X is unknown"
    )
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_required_setting() -> None:
    with pytest.raises(SettingsError, match="ROOM_CITY is required"):
        Demanding.from_env("ROOM", {})
    assert Demanding.from_env("ROOM", {"ROOM_CITY": "Putian"}).city == "Putian"


def test_secrets_are_never_shown() -> None:
    settings = Settings.from_env("ROOM", {"REDIS_URL": "redis://:canary@h", "DATABASE_URL": "x://canary@h"})
    shown = (
        repr(settings),
        str(settings),
        f"{settings.redis_url}",
        f"{settings.redis_url!r}",
        format(settings.redis_url, ""),
        str(dataclasses.asdict(settings)["redis_url"]),
    )
    assert all("canary" not in text for text in shown)
    with pytest.raises(TypeError):
        pickle.dumps(settings.redis_url)
    assert settings.redis_url.reveal() == "redis://:canary@h"
    assert settings.redis_url != Secret("other")
    assert settings.redis_url != "redis://:canary@h"
    assert not Secret("")


def test_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().listen = "x"  # type: ignore[misc]
