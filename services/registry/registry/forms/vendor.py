"""Vendors: people who can be reached."""

from mesh.errors import FieldViolation
from parkmesh.registry.v1.vendor_pb2 import Vendor

from registry.forms import contact
from registry.forms.facts import Facts


async def examine(vendor: Vendor, facts: Facts, path: str) -> list[FieldViolation]:
    """Puts the contacts' phones into canonical form."""
    return list(contact.examine(vendor.contacts, f"{path}.contacts"))
