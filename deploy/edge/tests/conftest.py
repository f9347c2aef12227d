"""Imports what warns when it is imported."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # envoy-data-plane is older than its pydantic
    import edge.control_plane  # noqa: F401
