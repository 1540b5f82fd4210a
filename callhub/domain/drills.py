"""Words for what was practised: kept as marks, so that what is overdue needs no walk through the journal."""

from __future__ import annotations

DRILLED_ELDER = "drilled.elder"
"""Mark: a drill at this elder's home was closed."""
DRILLED_AREA = "drilled.area"
"""Mark: a drill somewhere in this area's subtree was closed."""
