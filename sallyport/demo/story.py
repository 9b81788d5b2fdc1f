"""The story: one seller's order, from consent to proven erasure."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sallyport.demo.scene import Scene
from sallyport.demo.steps.auditing import check_the_audit_log
from sallyport.demo.steps.erasure import outlive_the_clock
from sallyport.demo.steps.people import connect_a_seller, enrol_the_desktops
from sallyport.demo.steps.reading import read_again_from_the_safe, read_with_unmodified_libraries
from sallyport.demo.steps.wire import look_at_the_wire


@dataclass(frozen=True)
class Step:
    """One step: what it is called and how it is taken; taking it returns what was proven."""

    name: str
    take: Callable[[Scene], Awaitable[str]]


STORY: Sequence[Step] = (
    Step("a seller connects", connect_a_seller),
    Step("desktops enrol", enrol_the_desktops),
    Step("unmodified libraries read an order", read_with_unmodified_libraries),
    Step("the safe serves it again", read_again_from_the_safe),
    Step("the audit log says who read what", check_the_audit_log),
    Step("the clock runs out", outlive_the_clock),
    Step("the wire is clean", look_at_the_wire),
)
