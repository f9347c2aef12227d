"""Composes reconciliation over the log, the journal and the history."""

from directory import Directory
from eventlog import EventLog
from history.client import HistoryClient
from mesh.settings import SettingsError
from vocabulary import beijing

from access_records.archive import Archive
from access_records.journal import JOURNAL, Journal
from access_records.progress import Progress
from access_records.reconciliation.closing import Closing
from access_records.reconciliation.comparing import Comparing
from access_records.reconciliation.day_book import DayBook
from access_records.reconciliation.ledger import Ledger
from access_records.reconciliation.marks import Marks
from access_records.reconciliation.notes import Notes
from access_records.reconciliation.overview import Overview
from access_records.reconciliation.servicer import UseCases
from access_records.reconciliation.signing import ReportKey
from access_records.records.reading import Reading
from access_records.settings import Settings


def use_cases(
    settings: Settings,
    log: EventLog,
    journal_log: EventLog,
    history: HistoryClient,
    archive: Archive,
    directory: Directory,
    reading: Reading,
) -> UseCases:
    """The use cases of reconciliation; `journal_log` is the log of the journal. SettingsError for no key."""
    try:
        key = ReportKey(settings.report_key.read_bytes())
    except ValueError:
        raise SettingsError("ACCESS_RECORDS_REPORT_KEY holds no Ed25519 private key in PEM") from None
    follow_s = settings.compare_wait_seconds
    marks = Marks(
        log,
        Progress(log, history),
        grace_ms=int(settings.settle_minutes * beijing.MINUTE_MS),
        follow_s=follow_s,
    )
    journal_marks = Marks(journal_log, Progress(journal_log, history, JOURNAL), grace_ms=0, follow_s=follow_s)
    journal = Journal(journal_log)
    ledger = Ledger(history, archive)
    day_book = DayBook(history)
    notes = Notes(journal, settings.comparisons_noted, settings.differences_noted)
    return UseCases(
        Comparing(log, ledger, marks, notes),
        Closing(ledger, day_book, marks, journal, journal_marks, notes, key),
        Overview(directory, ledger, day_book),
        reading,
    )
