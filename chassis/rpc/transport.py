"""What both ends of a call agree on: certificates, sizes, and the signs of life on a connection."""

import grpc

import chassis.crypto.tls

TLS_VERSION = b"TLSv1.3"
NAME_SUFFIX = ".sallyport.internal"

MESSAGE_BYTES_MAX = 8 * 1024 * 1024
CALLS_PER_CONNECTION_MAX = 1_000
PING_S = 30
PING_ANSWER_S_MAX = 10
# A connection outlives its certificate by no more than this, so that an expired one is soon shown again.
CONNECTION_AGE_S_MAX = 600
CONNECTION_AGE_GRACE_S = 60
# For so long after its start a stream of requests takes new ones. With an answer's deadline and the silence
# after it, it ends well within the grace of its connection, and its peer's certificate is soon proven again.
LINE_S_MAX = 20.0
# After this a caller that sends nothing more has hung up: it begins a new stream before it would.
SILENCE_S_MAX = 30.0
REDIAL_S_MIN = 0.1
REDIAL_S_MAX = 2.0

REQUEST_ID = "sallyport-request-id"
TRACEPARENT = "traceparent"
# Among the first words of a server that hears a stream's requests; of one that refuses it there are none.
IS_HEARD = "sallyport-is-heard"

_SIZES = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
]
_LIFE_SIGNS = [
    ("grpc.keepalive_time_ms", PING_S * 1000),
    ("grpc.keepalive_timeout_ms", PING_ANSWER_S_MAX * 1000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]

SERVER_OPTIONS = [
    *_SIZES,
    *_LIFE_SIGNS,
    ("grpc.http2.min_ping_interval_without_data_ms", PING_S * 1000 // 2),
    ("grpc.max_concurrent_streams", CALLS_PER_CONNECTION_MAX),
    ("grpc.max_connection_age_ms", CONNECTION_AGE_S_MAX * 1000),
    ("grpc.max_connection_age_grace_ms", CONNECTION_AGE_GRACE_S * 1000),
    ("grpc.so_reuseport", 0),
]


def channel_options(peer: str) -> list[tuple[str, str | int]]:
    """Return the options of a connection to `peer`, whose certificate must carry its name."""
    return [
        *_SIZES,
        *_LIFE_SIGNS,
        ("grpc.ssl_target_name_override", peer + NAME_SUFFIX),
        ("grpc.initial_reconnect_backoff_ms", int(REDIAL_S_MIN * 1000)),
        ("grpc.min_reconnect_backoff_ms", int(REDIAL_S_MIN * 1000)),
        ("grpc.max_reconnect_backoff_ms", int(REDIAL_S_MAX * 1000)),
        # A channel's connections are its own: one dialled with a new certificate is a new one.
        ("grpc.use_local_subchannel_pool", 1),
    ]


def channel_credentials(certificate: chassis.crypto.tls.Certificate) -> grpc.ChannelCredentials:
    """Return what a caller shows and whom it trusts."""
    return grpc.ssl_channel_credentials(
        certificate.ca_pem, certificate.key_pem.reveal(), certificate.certificate_pem
    )


def server_certificate(
    certificate: chassis.crypto.tls.Certificate,
) -> grpc.ServerCertificateConfiguration:
    """Return what a server shows and whose callers it believes."""
    return grpc.ssl_server_certificate_configuration(
        [(certificate.key_pem.reveal(), certificate.certificate_pem)], root_certificates=certificate.ca_pem
    )
