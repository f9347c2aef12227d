"""A service's in-memory copy of the registry facts it needs, kept fresh."""

from directory.directory import MAX_AGE_MS, Directory, DirectoryUnavailable
from directory.facts import (
    FOREVER,
    AccountFacts,
    Change,
    CredentialFacts,
    Fact,
    GateFacts,
    GrantFacts,
    LotFacts,
    OperatorFacts,
    Position,
    RuleFacts,
    VendorFacts,
)

__all__ = [
    "FOREVER",
    "MAX_AGE_MS",
    "AccountFacts",
    "Change",
    "CredentialFacts",
    "Directory",
    "DirectoryUnavailable",
    "Fact",
    "GateFacts",
    "GrantFacts",
    "LotFacts",
    "OperatorFacts",
    "Position",
    "RuleFacts",
    "VendorFacts",
]
