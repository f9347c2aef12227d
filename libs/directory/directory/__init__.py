"""A service's in-memory copy of the registry facts it needs, kept fresh."""

from directory.directory import MAX_AGE_MS, Directory, DirectoryUnavailable
from directory.facts import FOREVER, Change, CredentialFacts, Fact, GrantFacts, LotFacts, VendorFacts

__all__ = [
    "FOREVER",
    "MAX_AGE_MS",
    "Change",
    "CredentialFacts",
    "Directory",
    "DirectoryUnavailable",
    "Fact",
    "GrantFacts",
    "LotFacts",
    "VendorFacts",
]
