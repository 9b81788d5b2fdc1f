"""The pages of people as one: how they come in, what they sign in with, who is beside them, the staff's."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.web import Route
from services.gateway.web.entry import EntryPages
from services.gateway.web.security import SecurityPages
from services.gateway.web.staff import StaffPages
from services.gateway.web.team import TeamPages


@dataclass(frozen=True, kw_only=True)
class PeoplePages:
    """Every page that is about people."""

    entry: EntryPages
    security: SecurityPages
    team: TeamPages
    staff: StaffPages

    def routes(self) -> Sequence[Route]:
        """Return the ways in of all of them."""
        return [
            *self.entry.routes(),
            *self.security.routes(),
            *self.team.routes(),
            *self.staff.routes(),
        ]
