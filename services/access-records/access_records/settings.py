"""What the service and its history writer can be told."""

import pathlib
from dataclasses import dataclass
from typing import Final

from eventlog import Limits
from history.client import Account
from mesh.settings import BaseSettings, Secret, SettingsError, setting
from vocabulary import beijing

from access_records.visits import pairing
from access_records.writing.retention import Retention

_SLACK_MS: Final = 3_600_000
"""For how much longer than the horizon ids are kept: an upload is judged by when it came, and by another process's
clock than the one that forgets."""


@dataclass(frozen=True, kw_only=True)
class StorageSettings(BaseSettings):
    """Where the log and the history are."""

    redis_url: str = setting("redis://127.0.0.1:6379/0", shared="REDIS_URL")
    """The log's server."""
    log_folder: pathlib.Path | None = None
    """The folder of the log server's files, if it is on this machine: uploads are refused before its disk is full."""
    log_disk_reserve_bytes: int = 1 << 30
    """Free space that must remain there."""
    log_memory_fraction: float = 0.8
    """Share of the log server's memory limit from which uploads are refused."""
    log_trim_after_seconds: int = 3600
    """Entries of the log younger than this are kept even when the history holds them."""
    horizon_hours: int = 72
    """For how long the log's index remembers ids: younger records are decided without the history."""
    clickhouse_url: str = setting("http://127.0.0.1:8123", shared="CLICKHOUSE_URL")
    """The history's server."""
    clickhouse_user: str = "default"
    """The account there."""
    clickhouse_password: Secret = setting(Secret(""))  # noqa: RUF009
    """Its password."""

    def limits(self) -> Limits:
        """The log's limits."""
        return Limits(
            memory_fraction=self.log_memory_fraction,
            disk_reserve_bytes=self.log_disk_reserve_bytes,
            folder=self.log_folder,
            trim_after_ms=self.log_trim_after_seconds * 1000,
            forget_after_ms=self.horizon_hours * 3_600_000 + _SLACK_MS,
        )

    def account(self, deadline_s: float) -> Account:
        """The history's account, with a deadline for each call."""
        return Account(
            self.clickhouse_url,
            self.clickhouse_user,
            self.clickhouse_password.reveal(),
            # The store's own databases may not exist yet when the first connection is made.
            database="default",
            deadline=deadline_s,
        )


@dataclass(frozen=True, kw_only=True)
class Settings(StorageSettings):
    """The settings of access-records."""

    plate_key: Secret = setting()  # noqa: RUF009
    """Key of the plates' pseudonyms, 16 to 64 bytes of text: another key gives other pseudonyms."""
    future_tolerance_seconds: float = 60.0
    """How far a lot's clock may be ahead of the platform's."""
    earliest_event_year: int = 2000
    """Events before this year (Beijing time) are refused."""
    history_deadline_seconds: float = 5.0
    """How long a call waits for the history."""
    directory_max_age_hours: float = 24.0
    """For how long uploads go on without the registry."""
    silent_after_hours: int = 24
    """After how many hours without a record a lot counts as silent, while no rule of the registry says so (R6.3)."""
    report_key: pathlib.Path = setting()  # noqa: RUF009
    """PEM file with the Ed25519 private key that signs the reports of closed days (R5.2h)."""
    settle_minutes: float = 15.0
    """How long an event or a revision has to arrive before its absence counts as a difference of the books."""
    compare_wait_seconds: float = 2.0
    """How long a comparison waits for the history to hold what was acknowledged before it."""
    comparisons_noted: int = 2_000
    """Most fingerprints of days that are noted of one lot in an hour."""
    differences_noted: int = 5_000
    """Most differing records that are noted of one lot in an hour."""
    rejections_noted: int = 1_000
    """Most refused items that are noted of one lot in an hour."""
    coverage_refresh_seconds: float = 5.0
    """For how long lists of coverage may go without looking into the history again."""
    exports_folder: pathlib.Path = pathlib.Path("exports")
    """Where the files of exports are kept; of several processes the same one."""
    exports_keep_hours: float = 72.0
    """For how long a file is kept once it is made."""
    exports_disk_reserve_bytes: int = 1 << 30
    """Free space that must remain where the files of exports are; an export that would take of it fails."""
    exports_open: int = 20
    """Most exports that one requester has asked for and that are neither made nor refused yet."""
    heavy_questions: int = 4
    """Most queries for figures and of the rows of requested exports that run at once, so that the history's connections
    are there for the rest."""
    heavy_wait_seconds: float = 2.0
    """How long a further one waits before it is refused."""
    department_rounding: int = 5
    """Other departments are told counts to the nearest multiple of this, so that no small one is told (R7.4)."""


@dataclass(frozen=True, kw_only=True)
class PairingSettings(StorageSettings):
    """How entries and exits are paired: by the projection of visits, and by the history writer, which can make it anew.
    Both read the same variables.
    """

    longest_stay_days: float = setting(30.0, shared="PAIRING_LONGEST_STAY_DAYS")
    """An exit later than this after its entry is not the exit of that entry."""
    doubled_seconds: float = setting(60.0, shared="PAIRING_DOUBLED_SECONDS")
    """Two passages of one vehicle in one direction that are no further apart are one, reported twice."""
    crossing_seconds: float = setting(60.0, shared="PAIRING_CROSSING_SECONDS")
    """By how much an exit may be stamped before its entry."""
    named_hours: float = setting(24.0, shared="PAIRING_NAMED_HOURS")
    """The same two for passages that share a visit id."""

    def pairing(self) -> pairing.Limits:
        """How far apart two passages may be."""
        return pairing.Limits(
            longest_ms=int(self.longest_stay_days * beijing.DAY_MS),
            doubled_ms=int(self.doubled_seconds * 1000),
            crossing_ms=int(self.crossing_seconds * 1000),
            named_ms=int(self.named_hours * beijing.HOUR_MS),
        )


@dataclass(frozen=True, kw_only=True)
class VisitSettings(PairingSettings):
    """The settings of the projection that pairs entries and exits."""

    batch_records: int = 40_000
    """At most about this many records are paired at once."""
    gather_milliseconds: int = 500
    """How long to wait after a step that was not full, so that the next one is larger."""
    known_lines: int = 100_000
    """Of how many vehicles, and of how many visit ids, the last passages are kept in memory."""


@dataclass(frozen=True, kw_only=True)
class WriterSettings(PairingSettings):
    """The settings of the history writer."""

    clickhouse_owner_user: str = "owner"
    """The account that makes the schema."""
    clickhouse_owner_password: Secret = setting(Secret(""))  # noqa: RUF009
    """Its password."""
    batch_records: int = 20_000
    """At most about this many records go into one insert."""
    gather_milliseconds: int = 250
    """How long to wait after an insert that was not full, so that the next one is larger."""
    trim_every_seconds: float = 10.0
    """How often the log is trimmed."""
    rebuild_poll_seconds: float = 2.0
    """How often the writer looks whether a rebuild is asked for."""
    retain_records_days: int = Retention.records
    """For how many days from its acceptance a record stays in the history, with its revisions; 0: for ever.

    Visits stay a month longer.
    """
    retain_rejections_days: int = Retention.rejections
    """The same for what was refused."""
    retain_look_ups_days: int = Retention.look_ups
    """The same for look-ups of plates, and for who exported what or had projections made anew."""

    def retention(self) -> Retention:
        """For how long the history keeps what it holds. SettingsError."""
        try:
            return Retention(self.retain_records_days, self.retain_rejections_days, self.retain_look_ups_days)
        except ValueError as error:
            raise SettingsError(f"HISTORY_WRITER_RETAIN_…_DAYS: {error}") from None

    def owner(self) -> Account:
        """The account that makes the schema."""
        return Account(
            self.clickhouse_url,
            self.clickhouse_owner_user,
            self.clickhouse_owner_password.reveal(),
            database="default",
        )
