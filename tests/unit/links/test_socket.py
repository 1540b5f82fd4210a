"""What the library logs becomes one line of ours."""

import logging

from structlog.testing import capture_logs

from callhub.links.socket import library_logger


def test_the_librarys_traceback_becomes_one_line() -> None:
    logger = library_logger()
    with capture_logs() as lines:
        try:
            raise EOFError("the peer went away")
        except EOFError:
            logger.error("opening handshake failed", exc_info=True)
    (line,) = lines
    assert (line["event"], line["what"], line["error"]) == ("link_library", "opening handshake failed", "EOFError")
    assert "exc_info" not in line


def test_its_chatter_is_dropped_and_nothing_goes_further_up() -> None:
    logger = library_logger()
    with capture_logs() as lines:
        logger.info("connection open")
        logger.warning("odd")
    assert [line["what"] for line in lines] == ["odd"]
    assert lines[0]["error"] is None
    assert logger.propagate is False
    assert len(logging.getLogger(logger.name).handlers) == 1
