"""The work for one request stays within its limits. The counts hardly depend on
how busy the machine is, so they gate a change; `make bench` measures times."""

import pytest

from harness import paths, work

# bench/results/README.md lists these counts.
MAX_HOST_CALLS = 9
MAX_GUEST_INSTRUCTIONS = 1000
MAX_OF_STOCK = 0.53


@pytest.fixture(scope="module")
def swiss():
    return work.probe("work", paths.SWISS)


def test_a_request_makes_at_most_nine_host_calls(swiss):
    assert swiss["host_calls"] <= MAX_HOST_CALLS


def test_the_component_executes_at_most_a_thousand_instructions_for_a_request(swiss):
    assert swiss["guest_instructions"] <= MAX_GUEST_INSTRUCTIONS


def test_the_host_executes_at_most_0_53_of_what_it_does_for_a_stock_component():
    try:
        paths.tool("valgrind")
    except SystemExit as missing:
        pytest.skip(str(missing))
    stock = work.instructions(paths.STOCK)
    # The ticks of the host's clock add instructions, more on a busy machine, so the
    # lowest of several counts is the most accurate.
    for _ in range(3):
        swiss = work.instructions(paths.SWISS)
        if swiss <= MAX_OF_STOCK * stock:
            return
    raise AssertionError(
        f"a request in a fresh instance takes {swiss:,.0f} instructions, {swiss / stock:.3f} of "
        f"the stock component's {stock:,.0f}: expected at most {MAX_OF_STOCK}"
    )
