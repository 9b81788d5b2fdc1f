"""Login with Amazon as its callers meet it: the token endpoint with its plan and its faults."""

from datetime import datetime

import simulator.faults
from simulator import lwa, operations
from simulator.exchange import Answer, Request
from simulator.hostility import Hostility
from simulator.lwa import Lwa, LwaRefusal
from simulator.notes import Note
from simulator.plans import Key, Plans


class LwaFace:
    """The token endpoint with its faults and its plan."""

    def __init__(self, *, lwa: Lwa, plans: Plans, hostility: Hostility) -> None:
        self._lwa = lwa
        self._plans = plans
        self._hostility = hostility

    def answer(self, request: Request, note: Note, now: datetime) -> Answer:
        """Return the answer to a token request, and tell `note` what the record should say of it."""
        try:
            return self._granted(request, note, now)
        except LwaRefusal as refusal:
            return lwa.refused(refusal)

    def _granted(self, request: Request, note: Note, now: datetime) -> Answer:
        if request.method != "POST":
            raise LwaRefusal(405, "invalid_request", "The request method is not supported")
        operation = operations.LWA_TOKEN
        note.operation = operation.name
        asked = self._lwa.asked(request, now)
        note.application_id, note.grant_type = asked.application.application_id, asked.grant_type
        note.seller_id = self._lwa.seller_id(asked)
        fault = self._hostility.decide(operation.name, note.application_id, asked.grant_type)
        note.fault = fault.kind
        note.is_over_plan = not self._plans.take(Key(note.application_id, "", operation.name), operation, now)
        if note.is_over_plan:
            raise lwa.throttled()
        if (refusal := simulator.faults.lwa_refusal(fault, asked.grant_type)) is not None:
            raise refusal
        return simulator.faults.spoilt_lwa(self._lwa.grant(asked, now), fault)
