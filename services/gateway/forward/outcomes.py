"""What became of a call, as far as this process knows: the words in which the audit log is told it.

A read shows something or does not. An effect may stand at Amazon although no answer says so, and is not taken
back by anything that fails here.
"""

from chassis.errors import SallyportError
from services.gateway.forward.journey import Journey
from services.gateway.model import exchange
from services.gateway.model.audit import Kind, Result
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import DeadlineExceeded, UpstreamInvalid, UpstreamLost, UpstreamTimeout

# After these nobody knows what Amazon did.
_OPEN_FAULTS = (UpstreamTimeout, UpstreamLost, UpstreamInvalid, DeadlineExceeded)


def of_answer(journey: Journey, answer: UpstreamAnswer) -> Result:
    """Return what became of a call that was answered."""
    if exchange.is_success(answer):
        return Result.DONE
    return when_left(journey) if answer.status >= 500 else Result.NOT_DONE


def of_fault(journey: Journey, error: SallyportError) -> Result:
    """Return what became of a call that ended in a fault: a read showed nothing, an effect may stand."""
    return when_left(journey) if isinstance(error, _OPEN_FAULTS) else Result.NOT_DONE


def when_left(journey: Journey) -> Result:
    """Return what is known of a call that ended on its way."""
    return Result.NOT_DONE if journey.operation.is_read else Result.UNKNOWN


def tells_whose(journey: Journey) -> bool:
    """Return whether only its outcome tells whose personal data a call shows, so that it is waited for.

    Nothing else is waited for: the intent told the rest (R-01).
    """
    is_shown = journey.operation.is_read and journey.plan.audit_kind is Kind.PII_READ
    return is_shown and not journey.order_id
