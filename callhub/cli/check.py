"""``callhub check-config``: what is in force, where it is from, and each ladder played on paper."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from callhub.cli.options import ConfigFile
from callhub.domain.paper import play_on_paper, without_ladder
from callhub.domain.policy import Policy
from callhub.intake.policy_files import policy_tables, read_policies
from callhub.settings import effective, load_settings
from callhub.texts import step_name, text

Language = Annotated[
    str | None, typer.Option("--language", metavar="zh-CN|en", help="Of the ladders; else the configuration's own.")
]


def check_config(config: ConfigFile, language: Language = None) -> None:
    """Show every value with its origin, and what each ladder does when nobody answers; nothing is changed."""
    from callhub.app import rules_of  # the whole server, whose figures are checked as at its start

    settings = load_settings(config)
    rules_of(settings)
    policies = read_policies(policy_tables(settings.policies_dir))
    rows = [(row.key, json.dumps(row.value, ensure_ascii=False), row.origin) for row in effective(settings)]
    key_width, value_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    for key, value, origin in rows:
        print(f"{key:<{key_width}}  {value:<{value_width}}  {origin}")
    language = language or settings.place.language
    for policy in policies:
        print()
        for line in _on_paper(policy, language):
            print(line)
    for number, line in enumerate(warnings_for(policies, language)):
        print(line if number else f"\n{line}")


def warnings_for(policies: Iterable[Policy], language: str) -> Iterator[str]:
    """A line for each kind that has no ladder of its own; that is legal, and perhaps not meant."""
    for gap in without_ladder(policies):
        yield text(language, gap.code, kind=gap.kind, fallback=gap.fallback)


def _on_paper(policy: Policy, language: str) -> Iterator[str]:
    yield text(language, "paper.title", policy=policy.id)
    kinds = "paper.kinds_hours" if policy.hours else "paper.kinds"
    yield "  " + text(language, kinds, kinds=", ".join(policy.kinds), hours=policy.hours)
    for line in play_on_paper(policy):
        names = {"step": step_name(language, str(line.params["step"]))} if "step" in line.params else {}
        what = text(language, line.code, **{**line.params, **names})
        yield "  " + text(language, "paper.at", at_s=line.at_s, what=what)
