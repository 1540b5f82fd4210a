"""How long to look: a short look while writing (``dev``), a longer one in CI (``ci``), both at the same examples each
time, so that a red test is red for everybody. ``HYPOTHESIS_PROFILE=explore`` looks at others for as long as it takes.
"""

import os

from hypothesis import Phase, settings

# Without the phase that explains a failure: it runs a long history again and again.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink)
# Databases of earlier failures do not go with drawing the same examples each time.
_SAME = (Phase.explicit, Phase.generate, Phase.target, Phase.shrink)

settings.register_profile(
    "dev",
    deadline=None,
    print_blob=True,
    phases=_SAME,
    derandomize=True,
    database=None,
    max_examples=30,
    stateful_step_count=40,
)
settings.register_profile("ci", settings.get_profile("dev"), max_examples=60)
settings.register_profile(
    "explore", deadline=None, print_blob=True, phases=_PHASES, max_examples=500, stateful_step_count=60
)
_USUAL = "ci" if os.environ.get("CI") == "true" else "dev"
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", _USUAL))
