"""Building the parts of a server from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from callhub.app.listeners import WebServer, web_server
from callhub.auditor import OVERDUE_S_MAX, PERIOD_S, Auditor
from callhub.clock import SystemClock
from callhub.delivery.courier import Courier
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.domain.hours import parse_hours
from callhub.domain.people import ResponderKind
from callhub.domain.policy import PolicySet
from callhub.errors import ConfigError
from callhub.feed import Feed
from callhub.hub import Hub
from callhub.hub.downtime import roll_call_after
from callhub.intake.alone import put_first_ladders
from callhub.intake.control import ControlServer
from callhub.intake.directory import Directory
from callhub.links.limits import Limits
from callhub.links.registry import Registry
from callhub.links.server import LinkServer
from callhub.metrics import create_metrics
from callhub.solver import least_cost_solver
from callhub.web.application import create_app
from callhub.web.tickets import Tickets
from callhub.web.viewers import Viewers

if TYPE_CHECKING:
    from callhub.settings import Settings
    from callhub.store.base import Store


def rules_of(settings: Settings) -> Rules:
    """The engine's figures, from the settings; raises ``ConfigError`` for hours that cannot be read."""
    figures = settings.dispatch
    return Rules(
        timezone=settings.place.zone,
        link_patience_s=figures.link_patience_s,
        turnout_s=figures.turnout_s,
        turnout_night_s=figures.turnout_night_s,
        night=_hours("dispatch.night", figures.night),
        detour=figures.detour,
        rest_s=figures.rest_s,
        quiet_hours={
            ResponderKind(kind): _hours(f"dispatch.quiet_hours.{kind}", hours)
            for kind, hours in figures.quiet_hours.model_dump().items()
        },
        services_per_day_max={
            ResponderKind(kind): most for kind, most in figures.services_per_day_max.model_dump().items() if most
        },
        speed_m_s={ResponderKind(kind): speed for kind, speed in figures.speed_m_s.model_dump().items()},
        position_fresh_s=figures.position_fresh_s,
        fix_fresh_s=figures.fix_fresh_s,
        fix_accuracy_m_max=figures.fix_accuracy_m_max,
        roll_call_after_s=settings.roll_call.after_s,
        home_checks_max=settings.roll_call.checks_max,
        **settings.supervision.model_dump(),
    )


def _hours(key: str, hours: str) -> str:
    try:
        parse_hours(hours)
    except ValueError as wrong:
        raise ConfigError("settings", key, str(wrong)) from wrong
    return hours


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs, once it is built."""

    clock: SystemClock
    hub: Hub
    courier: Courier
    viewers: Viewers
    auditor: Auditor
    control: ControlServer
    links: LinkServer
    web: WebServer


async def build(settings: Settings, store: Store, speed: float) -> Parts:
    """All parts over an open store, recovered; nothing runs yet. ``speed``: engine seconds per real second."""
    snapshot = await store.load()
    if not snapshot.policies:
        await put_first_ladders(store, settings.policies_dir, lambda: rules_of(settings))
        snapshot = await store.load()
    clock = SystemClock(not_before=snapshot.last_at, speed=speed)
    engine = DispatchEngine(rules_of(settings), PolicySet(snapshot.policies), clock.now(), least_cost_solver())
    metrics = create_metrics()
    hub = Hub(
        engine,
        store,
        clock,
        metrics,
        inbox_events_max=settings.hub.inbox_events_max,
        batch_events_max=settings.hub.batch_events_max,
        timezone=settings.place.zone,
    )
    await hub.recover(snapshot)
    missed = roll_call_after(snapshot, hub.now(), settings.roll_call.after_s, hub.new_id())
    if missed is not None:
        hub.notice(missed)
    tickets = Tickets(hub.now, lambda digest: store.token(digest) is not None)
    viewers = Viewers(
        hub, store, Feed(store, hub.committed), settings.hub.viewer_events_max, settings.hub.resume_events_max
    )
    # A second of a scaled clock is short, and the machine's hiccups are not scaled.
    scale = max(speed, 1.0)
    auditor = Auditor(store, clock, metrics, PERIOD_S * scale, OVERDUE_S_MAX * scale)
    registry = Registry(hub, metrics)
    courier = Courier(store, hub.committed, [registry], settings.place.language)
    links = _link_server(settings, hub, store, courier, registry, tickets)
    app = create_app(hub, store, viewers, metrics, auditor, settings, tickets, lambda: links.is_accepting)
    directory = Directory(store, hub.submit, hub.now, hub.new_id)
    control = ControlServer(settings.database, directory)
    return Parts(clock, hub, courier, viewers, auditor, control, links, web_server(app))


def _link_server(
    settings: Settings, hub: Hub, store: Store, courier: Courier, registry: Registry, tickets: Tickets
) -> LinkServer:
    figures = settings.links
    limits = Limits(
        frame_bytes_max=figures.frame_bytes_max,
        frames_under_way_max=figures.frames_under_way_max,
        open_timeout_s=figures.open_timeout_s,
        ping_interval_s=figures.ping_interval_s,
        silence_s_max=figures.ping_interval_s + figures.ping_timeout_s,
    )
    return LinkServer(
        hub,
        store,
        courier,
        registry,
        tickets,
        now=hub.now,
        on_duty=hub.on_duty,
        origins=figures.origins,
        fallback_phone=figures.fallback_phone,
        language=settings.place.language,
        limits=limits,
    )
