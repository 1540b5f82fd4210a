"""HTTP for people and systems: REST, the live stream, health, and the page. Every write is an event for the hub."""

from callhub.web.application import create_app
from callhub.web.tickets import Tickets
from callhub.web.viewers import Viewers

__all__ = ["Tickets", "Viewers", "create_app"]
