"""What gRPC's own tools see of an error, and which tables no server serves."""

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

import chassis.errors
import chassis.rpc
from chassis.rpc import status
from chassis.rpc.methods import rows

TEXT_CHARS_MAX = 1_000


def service_of(*, hears_many: bool, answers_many: bool) -> ServiceDescriptor:
    """Return a service with one method."""
    method = descriptor_pb2.MethodDescriptorProto(
        name="Say",
        input_type=".test.Word",
        output_type=".test.Word",
        client_streaming=hears_many,
        server_streaming=answers_many,
    )
    file = descriptor_pb2.FileDescriptorProto(
        name="test.proto",
        package="test",
        message_type=[descriptor_pb2.DescriptorProto(name="Word")],
        service=[descriptor_pb2.ServiceDescriptorProto(name="Talk", method=[method])],
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindServiceByName("test.Talk")


def table(descriptor: ServiceDescriptor, deadline_s: float = 1.0) -> chassis.rpc.Service:
    row = chassis.rpc.Method(callers=frozenset({"auth"}), deadline_s=deadline_s, event="test.word.said")
    return chassis.rpc.Service(
        descriptor=descriptor, add=lambda *_: None, servicer=None, methods={"Say": row}
    )


@pytest.mark.parametrize(("hears_many", "answers_many"), [(False, False), (False, True), (True, True)])
def test_a_method_that_answers_what_it_hears_has_its_row(*, hears_many: bool, answers_many: bool) -> None:
    assert list(rows(table(service_of(hears_many=hears_many, answers_many=answers_many)))) == [
        "/test.Talk/Say"
    ]


def test_a_method_that_hears_many_and_answers_once_is_not_served() -> None:
    with pytest.raises(chassis.errors.StartRefused, match="Say streams requests without answers"):
        rows(table(service_of(hears_many=True, answers_many=False)))


@pytest.mark.parametrize("deadline_s", [-1.0, 0.0, 86_401.0, float("inf"), float("nan")])
def test_a_deadline_that_is_none_is_not_served_R11(deadline_s: float) -> None:
    with pytest.raises(chassis.errors.StartRefused, match="deadline is out of bounds"):
        rows(table(service_of(hears_many=False, answers_many=False), deadline_s))


@pytest.mark.parametrize("kind", chassis.errors.KINDS)
def test_every_kind_has_a_status_of_grpcs_own(kind: type[chassis.errors.SallyportError]) -> None:
    assert status.code_of(kind()).name == chassis.errors.KINDS[kind].grpc_status


def test_a_peers_words_are_bounded_R23() -> None:
    error = chassis.errors.NotFound("ß" * 5_000)
    trailers = grpc.aio.Metadata(*status.trailers_of(error))
    failure = grpc.aio.AioRpcError(status.code_of(error), grpc.aio.Metadata(), trailers, error.text)
    rebuilt = status.rebuilt(failure)
    assert (type(rebuilt), rebuilt.text) == (chassis.errors.NotFound, "ß" * TEXT_CHARS_MAX)


def test_what_grpc_itself_says_in_no_known_word_is_our_mistake() -> None:
    failure = grpc.aio.AioRpcError(grpc.StatusCode.DATA_LOSS, grpc.aio.Metadata(), grpc.aio.Metadata())
    assert type(status.rebuilt(failure)) is chassis.errors.Internal
