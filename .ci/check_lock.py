"""Compares the environment that runs it with requirements.lock: the same packages, the same versions, nothing more."""

import pathlib
import re
import sys
from importlib.metadata import distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).parents[1]
OWN = "parkmesh-"
OF_THE_ENVIRONMENT = {"pip"}


def main() -> None:
    """Prints every difference and exits with 1 when there is one."""
    text = (ROOT / "requirements.lock").read_text()
    wanted = locked(text)
    found: dict[str, str] = {
        canonicalize_name(distribution.metadata["Name"]): distribution.version
        for distribution in distributions(path=[path for path in sys.path if path.endswith("site-packages")])
    }
    foreign = {name for name in found if not name.startswith(OWN)} - OF_THE_ENVIRONMENT
    differences = [
        *(f"{name} is not installed, {version} is locked" for name, version in wanted.items() if name not in found),
        *(
            f"{name} {found[name]} is installed, {version} is locked"
            for name, version in wanted.items()
            if found.get(name, version) != version
        ),
        *(f"{name} {found[name]} is installed and not locked" for name in sorted(foreign - set(wanted))),
        *(f"the lock names an address: {address}" for address in re.findall(r"https?://\S+", text)),
    ]
    for difference in differences:
        sys.stderr.write(difference + "\n")
    if differences:
        sys.exit("This is not what requirements.lock says: make install brings it back, make lock pins anew.")
    sys.stdout.write(f"{len(wanted)} packages installed as locked\n")


def locked(text: str) -> dict[str, str]:
    """Name and version of every package the lock pins for this platform."""
    pins: dict[str, str] = {}
    for line in re.findall(r"^[a-zA-Z0-9].*?(?= \\$)", text, re.MULTILINE):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            pins[canonicalize_name(requirement.name)] = next(iter(requirement.specifier)).version
    return pins


if __name__ == "__main__":
    main()
