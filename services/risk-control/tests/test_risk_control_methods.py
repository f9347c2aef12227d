"""Which requests need no token."""

import pytest
from mesh import contract
from risk_control.methods import PublicMethods, template_pattern

ISSUE = "/parkmesh.registry.v1.TokenService/IssueToken"
PUBLIC = PublicMethods(contract.methods())


@pytest.mark.parametrize("path", ["/v1/token", "/v1/token?x=1", "/v1/token?"])
def test_the_token_method_is_public_over_rest(path: str) -> None:
    assert PUBLIC.find("POST", path, grpc=False) == ISSUE


def test_the_token_method_is_public_over_grpc() -> None:
    assert PUBLIC.find("POST", ISSUE, grpc=True) == ISSUE


@pytest.mark.parametrize(
    ("verb", "path", "grpc"),
    [
        ("GET", "/v1/token", False),
        ("POST", "/v1/token", True),
        ("POST", ISSUE, False),
        ("GET", ISSUE, True),
        ("POST", "/v1/token/", False),
        ("POST", "/v1/token/../lots", False),
        ("POST", "/v1/tokens", False),
        ("POST", "/v1/lots", False),
        ("POST", "//v1/token", False),
        ("POST", "/v1/token\n", False),
        ("POST", "", False),
    ],
)
def test_everything_else_needs_a_token(verb: str, path: str, grpc: bool) -> None:
    assert PUBLIC.find(verb, path, grpc=grpc) is None


def test_no_method_but_the_public_ones_is_open() -> None:
    opened = {contract.path_of(m) for m in contract.methods() if PUBLIC.find("POST", contract.path_of(m), grpc=True)}
    assert opened == {contract.path_of(m) for m in contract.methods() if contract.is_public(m)}
    assert ISSUE in opened


def test_a_variable_takes_one_segment() -> None:
    pattern = template_pattern("/v1/public/lots/{lot_id}:watch")
    assert pattern.fullmatch("/v1/public/lots/7:watch")
    assert not pattern.fullmatch("/v1/public/lots/7/8:watch")
    assert not pattern.fullmatch("/v1/public/lots/:watch")


@pytest.mark.parametrize("template", ["/v1/{name=lots/*}", "/v1/**", "/v1/*"])
def test_wide_templates_are_refused(template: str) -> None:
    with pytest.raises(ValueError, match="plain variables"):
        template_pattern(template)
