"""The pure dispatch engine: lifecycle tables, matching, escalation. No clock, no I/O, no randomness."""
