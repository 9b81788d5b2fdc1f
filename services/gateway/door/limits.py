"""Every bound that strangers meet at the door."""

from dataclasses import dataclass

HEAD_DEADLINE_S = 10.0
HEAD_BYTES_MAX = 64 * 1024
# Of a request line or a field, without its end.
HEAD_LINE_BYTES_MAX = 8190
HEAD_FIELDS_MAX = 100
# Of heads that clients repeat but for the target, so many are known again, for so long; about 3 KB each.
HEADS_KNOWN_MAX = 512
HEAD_KNOWN_BYTES_MAX = 4 * 1024
HEADS_KNOWN_S_MAX = 60.0
IDLE_S_MAX = 75.0

BODY_DEADLINE_S = 30.0
# What a whole body may hold, decoded. Feeds and reports travel as documents, not in calls.
BODY_BYTES_MAX = 10 * 1024 * 1024
# A body up to this size is collected before anybody is called, and costs nothing but its connection.
SMALL_BODY_BYTES_MAX = 64 * 1024
LARGE_BODIES_MAX = 32

ANSWER_DEADLINE_S = 60.0
# Whoever sends or takes a stream has this time for its beginning, and more for what has moved at this pace.
STREAM_DEADLINE_S = 30.0
STREAM_BYTES_PER_S_MIN = 4096
STREAMS_MAX = 256
# What clients have not taken of whole answers, over all connections.
UNSENT_BYTES_MAX = 256 * 1024 * 1024

# What may lie unread while its request is not ready for it; then reading pauses.
READ_AHEAD_BYTES_MAX = 64 * 1024
CONNECTIONS_MAX = 4096
REQUESTS_MAX = 1024
# How long the unread rest of a refused body is thrown away, so that the client gets to read the answer.
LINGER_S_MAX = 2.0
# How long a connection that we closed may take to be gone.
CLOSE_S_MAX = 10.0
# How long a connection that is one too many has to ask, to be told so and to be gone.
REFUSAL_S_MAX = 1.0
# Deadlines are looked at this often, so they may be missed by as much.
LOOK_S = 0.5
# Many who came together are late together; between so many of them others have their turn.
EXPIRED_AT_ONCE_MAX = 8

# Between one newcomer and the next others have this time, so at most 500 come in a second. Nobody gains by
# knocking faster: 410 a second that say nothing fill CONNECTIONS_MAX before a handshake's deadline ends.
NEWCOMER_PAUSE_S = 0.002
# Who knocks meanwhile waits in the kernel's queue, which may be shorter there.
BACKLOG_MAX = 4096
# When the system has no descriptor or memory left for a new connection.
ACCEPT_RETRY_S = 1.0
HANDSHAKE_DEADLINE_S = 10.0
# What a connection may hold of what is encrypted; memory is spent on as much as was ever needed of it.
TLS_INCOMING_BYTES = 16 * 1024
TLS_OUTGOING_BYTES = 32 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Those bounds that a door may set tighter or wider."""

    head_deadline_s: float = HEAD_DEADLINE_S
    idle_s_max: float = IDLE_S_MAX
    body_deadline_s: float = BODY_DEADLINE_S
    answer_deadline_s: float = ANSWER_DEADLINE_S
    stream_deadline_s: float = STREAM_DEADLINE_S
    linger_s_max: float = LINGER_S_MAX
    look_s: float = LOOK_S
    connections_max: int = CONNECTIONS_MAX
    requests_max: int = REQUESTS_MAX
    large_bodies_max: int = LARGE_BODIES_MAX
    streams_max: int = STREAMS_MAX
    unsent_bytes_max: int = UNSENT_BYTES_MAX
