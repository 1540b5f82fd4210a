"""The words of callhub as types: people, areas, incidents, policies, events, facts. Pure: no I/O, clock or chance."""
