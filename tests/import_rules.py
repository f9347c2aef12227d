"""The import rule that import-linter lacks: a package that imports the standard library and nothing else."""

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class StandardLibraryContract(Contract):
    """Kept while every module of `package` imports only its own package and the standard library."""

    package: Any = fields.StringField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Finds every import that leaves both."""
        allowed = {self.package, *sys.stdlib_module_names}
        found = sorted(
            f"{importer} -> {imported}"
            for importer in {self.package, *graph.find_descendants(self.package)}
            for imported in graph.find_modules_directly_imported_by(importer)
            if imported.partition(".")[0] not in allowed
        )
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Prints one line for each of them."""
        for line in check.metadata["found"]:
            output.print_error(f"{line} (only the standard library is allowed)", bold=False)
