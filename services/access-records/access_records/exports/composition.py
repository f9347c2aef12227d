"""Composes exports: the book that follows the journal, the maker of files, and the use cases over both."""

from directory import Directory
from eventlog import EventLog
from history.client import HistoryClient
from mesh.server import Mesh
from vocabulary import beijing

from access_records.exports.export_book import ExportBook
from access_records.exports.export_maker import ExportMaker
from access_records.exports.export_rows import ExportRows
from access_records.exports.exports import Exports
from access_records.journal import Journal
from access_records.progress import Progress
from access_records.settings import Settings
from access_records.turns import Turns


def made_exports(
    settings: Settings,
    mesh: Mesh,
    journal_log: EventLog,
    history: HistoryClient,
    directory: Directory,
    progress: Progress,
    turns: Turns,
) -> Exports:
    """The use cases; their book and their maker run in the background from now on."""
    book, journal, rows = ExportBook(), Journal(journal_log), ExportRows(directory, history)
    keep_ms = int(settings.exports_keep_hours * beijing.HOUR_MS)
    folder, reserve = settings.exports_folder, settings.exports_disk_reserve_bytes
    maker = ExportMaker(book, journal, rows, progress, folder, keep_ms, mesh.clock, reserve)
    mesh.background("export book", lambda: book.follow(journal_log, history))
    mesh.background("export maker", maker.run)
    return Exports(book, journal, rows, folder, mesh.ids, turns, settings.exports_open)
