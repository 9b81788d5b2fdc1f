"""The flood of malformed requests: repeatable, of every kind, judged without mercy."""

from collections.abc import Iterator
from itertools import islice
from random import Random

import pytest

from bench.malformed import contents, framing
from bench.malformed.attempts import HIDDEN_MARK, Attempt, Ids, Manner, Pass, Source
from bench.malformed.description import describe
from bench.malformed.exchange import Answer, Ending
from bench.malformed.mutations import mutated
from bench.malformed.verdict import Gateway, Tally, broken_promises, code_of, documented_statuses, lines
from services.gateway.catalogue.table import Catalogue
from services.gateway.model import storage_faults
from services.gateway.model.documents import StorageUnavailable

VALID = Pass(("sp_at_one", "sp_at_two"), "device", "sp_rt_one")
QUIET = Gateway(memory_bytes=(100_000_000, 100_000_000), starts=1, crashes=0, is_serving=True)
MAKERS = (*framing.MAKERS, *contents.MAKERS, mutated)


def made(maker: framing.Make, seed: int) -> Iterator[Attempt]:
    source = Source(Random(seed), Ids(), VALID)
    while True:
        yield maker(source)


def answered(status: int, body: bytes) -> Ending:
    return Ending(Attempt("any", b"x"), str(status), Answer(status, "", body, is_last=True))


@pytest.mark.parametrize("maker", MAKERS)
def test_the_same_seed_makes_the_same_requests(maker: framing.Make) -> None:
    first, again, other = (list(islice(made(maker, seed), 30)) for seed in (1, 1, 2))
    assert [each.sent for each in first] == [each.sent for each in again]
    assert [each.sent for each in first] != [each.sent for each in other]


@pytest.mark.parametrize("maker", MAKERS)
def test_what_hides_another_request_is_never_taken_for_sound(maker: framing.Make) -> None:
    hiding = [each for each in islice(made(maker, 3), 200) if HIDDEN_MARK.encode() in each.sent]
    assert all(each.manner is not Manner.WHOLE for each in hiding)


def test_the_description_names_every_operation_of_the_catalogue() -> None:
    described = describe(Catalogue.load())["paths"]
    named = {(path, method.upper()) for path, methods in described.items() for method in methods}
    assert {(operation.path, operation.method) for operation in Catalogue.load()} <= named


def test_a_refusal_of_any_shape_tells_its_code() -> None:
    assert (
        code_of(b'{"errors":[{"code":"X","message":"m","details":"overloaded: Too many."}]}') == "overloaded"
    )
    assert code_of(b'{"error":"server_error","code":"store_unavailable"}') == "store_unavailable"
    assert code_of(storage_faults.render(StorageUnavailable(), "request-1").body) == "storage_unavailable"
    assert code_of(b"<html>") == ""
    assert code_of(b"[]") == ""


@pytest.mark.parametrize(
    ("status", "body", "is_kept"),
    [
        (503, b'{"code":"overloaded"}', True),
        (504, b'{"code":"overloaded"}', False),
        (500, b'{"code":"internal"}', False),
        (503, b'{"code":"never_heard_of"}', False),
        (502, b"<html>", False),
        (400, b"", True),
    ],
)
def test_only_documented_answers_of_5xx_are_let_pass(status: int, body: bytes, is_kept: bool) -> None:
    tally = Tally(documented_statuses())
    tally.add(answered(status, body))
    assert (broken_promises(tally, QUIET) == []) == is_kept


@pytest.mark.parametrize(
    "gateway",
    [
        Gateway(memory_bytes=(100_000_000, 300_000_000), starts=1, crashes=0, is_serving=True),
        Gateway(memory_bytes=(1, 1), starts=2, crashes=0, is_serving=True),
        Gateway(memory_bytes=(1, 1), starts=1, crashes=1, is_serving=True),
        Gateway(memory_bytes=(1, 1), starts=1, crashes=0, is_serving=False),
    ],
)
def test_a_gateway_that_is_not_what_it_was_breaks_a_promise_R23(gateway: Gateway) -> None:
    assert len(broken_promises(Tally({}), gateway)) == 1


def test_an_answer_that_is_missing_or_anothers_breaks_a_promise_T09() -> None:
    tally = Tally({})
    tally.add(Ending(Attempt("any", b"x"), "left", is_missing=True))
    tally.add(Ending(Attempt("any", b"x"), "200", Answer(200, "", b"", is_last=True), is_anothers=True))
    assert len(broken_promises(tally, QUIET)) == 2
    assert any(line.startswith("anothers: any") for line in lines(tally, QUIET, 1.0))
