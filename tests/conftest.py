"""Rules that hold for every test.

Under ``CI=true`` a test that skips itself has failed: what a machine cannot show must be seen, not missed. And the
tests run on either event loop: ``pytest --loop uvloop``.
"""

import asyncio
import os
from collections.abc import Callable, Generator, Mapping

import hypothesis
import pytest

# A machine shared with others is slow at times; that says nothing about the code. Real limits are tested as such.
hypothesis.settings.register_profile("callhub", deadline=None, print_blob=True)
hypothesis.settings.load_profile("callhub")

_SKIP_IS_FAILURE = os.environ.get("CI") == "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--loop``: which event loop runs the coroutines under test."""
    parser.addoption("--loop", choices=["asyncio", "uvloop"], default="asyncio", help="event loop for async tests")


def pytest_asyncio_loop_factories(config: pytest.Config) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give pytest-asyncio the loop that was asked for; a loop that is asked for and missing is an error."""
    if config.getoption("--loop") == "uvloop":
        import uvloop

        return {"uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that repeats the skip's reason; an expected failure is not a skip."""
    if _SKIP_IS_FAILURE and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: nothing is skipped under CI=true. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Apply the rule to a test that skips while it runs, or is marked to be skipped."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Apply the rule to a module that skips itself when it is imported."""
    report = yield
    _refuse_skip(report)
    return report
