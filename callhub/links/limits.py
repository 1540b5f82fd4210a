"""How much and how long: the figures of a link."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Figures of every link, in real seconds and bytes; a scaled engine clock does not change them.

    Attributes:
        frame_bytes_max: Larger frames close the link (1009).
        frames_under_way_max: Frames read and not yet answered; at this the link stops reading.
        open_timeout_s: From the first byte to the end of the handshake.
        ping_interval_s: A peer that said nothing for this long is asked whether it lives.
        silence_s_max: A peer from which nothing came for this long is dead. A dead link must be noticed within 30 s.
        slow_s_max: A responder who has not taken what was sent for this long is closed (4002).
        close_timeout_s: For the closing handshake; then the connection is cut.
        flush_s_max: Before a link is ended on purpose, what is pending may take this long; links of revoked clients
            must end within 1 s.
        write_bytes_max: Bytes in our buffer above which a writer waits for the peer.
    """

    frame_bytes_max: int = 16_384
    frames_under_way_max: int = 64
    open_timeout_s: float = 10.0
    ping_interval_s: float = 10.0
    silence_s_max: float = 25.0
    slow_s_max: float = 10.0
    close_timeout_s: float = 3.0
    flush_s_max: float = 0.5
    write_bytes_max: int = 32_768
