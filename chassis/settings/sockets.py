"""Limits of the clients that hold a socket, and what they missed."""

from typing import Literal

from pydantic import Field

from chassis.settings.section import Section


class SocketSettings(Section):
    """Sockets"""

    socket_transport: Literal["fast", "stock"] = Field(
        "fast", description="`fast` is this project's own under ASYNC_MODE=eventlet, `stock` the libraries'."
    )
    socket_ping_interval_seconds: float = Field(
        25, gt=0, le=3600, description="How often a client is asked whether it is there."
    )
    socket_ping_timeout_seconds: float = Field(
        20, gt=0, le=3600, description="A client that has not answered by then is gone."
    )
    socket_handshake_seconds: float = Field(
        10, ge=0, description="How long a client may take to join a namespace, or to upgrade; 0 is no limit."
    )
    socket_max_message_bytes: int = Field(1_000_000, ge=1_000, description="The largest message a client may send.")
    socket_send_buffer_bytes: int = Field(
        4_000_000, ge=0, description="A client for which more than this waits is disconnected; 0 is no limit."
    )
    socket_send_buffer_messages: int = Field(
        10_000, ge=0, description="A client for which more messages wait is disconnected; 0 is no limit."
    )
    socket_receive_bytes: int = Field(
        4_000_000,
        ge=0,
        description="A client of which more than this waits for its handlers is disconnected; 0 is no limit.",
    )
    socket_receive_messages: int = Field(
        1_000,
        ge=0,
        description="A client of which more messages wait for their handlers is disconnected; 0 is no limit.",
    )
    socket_max_connections: int = Field(
        10_000, ge=0, description="Clients of a worker, more are answered 503; 0 is no limit."
    )
    socket_max_connections_per_address: int = Field(
        500,
        ge=0,
        description="Clients of a worker from one address, an IPv6 /64 being one; 0 is no limit, right behind a proxy "
        "that TRUSTED_PROXIES does not name. Outside of production only where it is set.",
    )
    socket_max_unjoined_per_address: int = Field(
        50,
        ge=0,
        description="Those among them that have joined no namespace yet; 0 is no limit. Outside of production only "
        "where it is set.",
    )
    socket_max_namespaces: int = Field(20, ge=0, description="Namespaces a client may join; 0 is no limit.")
    socket_max_rooms: int = Field(1_000, ge=0, description="Rooms of a namespace a client may be in; 0 is no limit.")
    socket_events_per_second: float = Field(
        0, ge=0, description="Events of one name a client may send in a second, over time; 0 is no limit."
    )
    socket_events_burst: int = Field(20, ge=1, description="Events of one name a client may send at once.")
    socket_events_per_second_per_principal: float = Field(
        0, ge=0, description="Events of a key, an account or else an address, over all its connections; 0 is no limit."
    )
    event_log_seconds: float = Field(
        120, ge=0, description="What was published is kept this long for clients that come back and missed it."
    )
    event_log_max_events: int = Field(500, ge=0, description="Published events that are kept for one room.")
    event_log_max_bytes: int = Field(
        16_000_000, ge=0, description="Bytes of published events that a worker keeps for all rooms."
    )
    presence_lease_seconds: float = Field(
        15, ge=1, description="Who was in a room by way of a process that died is gone after so long."
    )
