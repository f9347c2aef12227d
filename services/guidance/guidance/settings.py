"""What guidance can be told."""

import dataclasses

from history.client import Account
from mesh.settings import BaseSettings, Secret, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Read from GUIDANCE_<FIELD>; `registry_address` is required."""

    clickhouse_url: str = setting("http://127.0.0.1:8123", shared="CLICKHOUSE_URL")
    """The history's server."""
    clickhouse_user: str = "default"
    """The account there; it needs to read `parkmesh.lot_latest` only."""
    clickhouse_password: Secret = setting(Secret(""))  # noqa: RUF009
    """Its password."""
    poll_seconds: float = 2.0
    """How often the last reported free berths are read."""
    history_deadline_seconds: float = 2.0
    """How long to wait for them each time."""
    stale_after_seconds: int = 900
    """From this age on a report of free berths is called stale."""
    directory_max_age_hours: float = 24.0
    """For how long searches go on without the registry."""

    def account(self) -> Account:
        """The history's account."""
        return Account(
            self.clickhouse_url,
            self.clickhouse_user,
            self.clickhouse_password.reveal(),
            # The published database may not exist yet when the first connection is made.
            database="default",
            deadline=self.history_deadline_seconds,
            connections=1,
        )
