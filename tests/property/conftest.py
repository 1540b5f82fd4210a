"""How long to look: a short look while writing (``dev``), a longer one in CI (``ci``)."""

import os

from hypothesis import Phase, settings

# Without the phase that explains a failure: it runs a long history again and again.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink)

settings.register_profile(
    "dev", deadline=None, print_blob=True, phases=_PHASES, max_examples=60, stateful_step_count=40
)
settings.register_profile(
    "ci", deadline=None, print_blob=True, phases=_PHASES, max_examples=200, stateful_step_count=60
)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "dev")
