"""Limits for socket clients, and the recovery of missed events."""

from typing import Literal

from pydantic import Field

from chassis.settings.section import Section


class SocketSettings(Section):
    """Sockets"""

    socket_transport: Literal["fast", "stock"] = Field(
        "fast",
        description="`fast` is this project's own transport, for ASYNC_MODE=eventlet and gevent; `stock` is that of "
        "the libraries, which threading always uses.",
    )
    socket_ping_interval_seconds: float = Field(25, gt=0, le=3600, description="How often the server pings a client.")
    socket_ping_timeout_seconds: float = Field(
        20, gt=0, le=3600, description="A client that has not answered a ping within this time is disconnected."
    )
    socket_handshake_seconds: float = Field(
        10, ge=0, description="How long a client may take to join a namespace or to upgrade; 0 means no limit."
    )
    socket_max_message_bytes: int = Field(1_000_000, ge=1_000, description="Maximum size of a message from a client.")
    socket_send_buffer_bytes: int = Field(
        4_000_000,
        ge=0,
        description="Maximum bytes waiting to be sent to a client; above it the client is disconnected. 0 means no "
        "limit.",
    )
    socket_send_buffer_messages: int = Field(
        10_000,
        ge=0,
        description="Maximum messages waiting to be sent to a client; above it the client is disconnected. 0 means "
        "no limit.",
    )
    socket_receive_bytes: int = Field(
        4_000_000,
        ge=0,
        description="Maximum bytes waiting for a client's handlers; above it the client is disconnected. 0 means no "
        "limit.",
    )
    socket_receive_messages: int = Field(
        1_000,
        ge=0,
        description="Maximum messages waiting for a client's handlers; above it the client is disconnected. 0 means "
        "no limit.",
    )
    socket_max_connections: int = Field(
        10_000, ge=0, description="Maximum clients of a machine, over all workers; others get 503. 0 means no limit."
    )
    socket_max_connections_per_address: int = Field(
        500,
        ge=0,
        description="Maximum of these clients from one address or IPv6 /64; 0 means no limit, as needed behind a "
        "proxy that TRUSTED_PROXIES does not list. Outside production it applies only if it is set.",
    )
    socket_max_unjoined_per_address: int = Field(
        50,
        ge=0,
        description="Maximum of an address' clients that have not joined a namespace yet; 0 means no limit. Outside "
        "production it applies only if it is set.",
    )
    socket_max_namespaces: int = Field(20, ge=0, description="Maximum namespaces per client; 0 means no limit.")
    socket_max_rooms: int = Field(1_000, ge=0, description="Maximum rooms per client in a namespace; 0 means no limit.")
    socket_events_per_second: float = Field(
        0, ge=0, description="Average events per second of one name that a client may send; 0 means no limit."
    )
    socket_events_burst: int = Field(20, ge=1, description="Events of one name that a client may send in a burst.")
    socket_events_per_second_per_principal: float = Field(
        0,
        ge=0,
        description="Limit of events of a key, an account or otherwise an address, over all its connections; 0 means "
        "no limit.",
    )
    event_log_seconds: float = Field(
        120, ge=0, description="How long published events are kept for clients that reconnect."
    )
    event_log_max_events: int = Field(500, ge=0, description="Maximum published events kept per room.")
    event_log_max_bytes: int = Field(
        16_000_000, ge=0, description="Maximum bytes of published events that a worker keeps for all rooms."
    )
    presence_lease_seconds: float = Field(
        15, ge=1, description="Presence of members whose process died ends after this time."
    )
