"""What requests have in common: page tokens and instants, also forged ones."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from mesh import paging
from mesh.errors import MeshError
from parkmesh.errors.v1.error_reason_pb2 import ERROR_REASON_INVALID_PAGE_TOKEN
from parkmesh.registry.v1.audit_service_pb2 import ListAuditEntriesRequest
from parkmesh.registry.v1.change_service_pb2 import ListChangesRequest
from parkmesh.registry.v1.registry_service_pb2 import GetLotRequest, ListLotsRequest, UpdateLotRequest
from registry.errors import InvalidFields
from registry.servicers.requests import effective, moment, next_token, numbered_place, place
from registry.static.moments import Moment


def test_a_page_leads_on_to_the_next() -> None:
    request = ListChangesRequest(page_size=2, late_only=True)
    assert numbered_place(request) == (None, 2)
    assert next_token(request, 2, ["7", "9"]) == ""
    request.page_token = next_token(request, 2, ["7", "9", "12"])
    assert numbered_place(request) == (9, 2)
    lots = ListLotsRequest(page_size=1)
    lots.page_token = next_token(lots, 1, ["lot-1", "lot-2"])
    assert place(lots) == ("lot-1", 1)


@pytest.mark.parametrize("number", ["abc", "-1", "1.5", "٣", "9" * 19, "9" * 1000, "1\0", " 1"])
@pytest.mark.parametrize("request_of", [ListChangesRequest, ListAuditEntriesRequest])
def test_a_token_that_somebody_made_is_refused(request_of: type[ListChangesRequest], number: str) -> None:
    request = request_of()
    request.page_token = paging.encode(request, [number])
    with pytest.raises(MeshError) as refused:
        numbered_place(request)
    assert refused.value.reason == ERROR_REASON_INVALID_PAGE_TOKEN


def test_no_place_holds_what_databases_cannot() -> None:
    request = ListLotsRequest()
    request.page_token = paging.encode(request, ["lot-\0"])
    with pytest.raises(MeshError) as refused:
        place(request)
    assert refused.value.reason == ERROR_REASON_INVALID_PAGE_TOKEN


def test_a_token_of_another_list_is_refused() -> None:
    for other in (ListAuditEntriesRequest(), ListChangesRequest(lot_id="lot-1"), ListChangesRequest(newest_first=True)):
        with pytest.raises(MeshError) as refused:
            numbered_place(ListChangesRequest(page_token=paging.encode(other, ["7"])))
        assert refused.value.reason == ERROR_REASON_INVALID_PAGE_TOKEN


def test_instants_are_whole_milliseconds() -> None:
    assert moment(GetLotRequest()) == Moment()
    assert moment(GetLotRequest(as_of_time=Timestamp(), known_time=Timestamp(seconds=1))) == Moment(0, 1000)
    last = Timestamp(seconds=253_402_300_799, nanos=999_000_000)
    assert effective(UpdateLotRequest(effective_time=last)) == 253_402_300_799_999
    assert effective(UpdateLotRequest()) is None
    with pytest.raises(InvalidFields) as refused:
        effective(UpdateLotRequest(effective_time=Timestamp(nanos=1)))
    assert [(violation.field, violation.rule) for violation in refused.value.fields] == [
        ("effectiveTime", "time.milliseconds")
    ]
