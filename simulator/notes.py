"""What the faces tell the record about a call while they answer it."""

from dataclasses import dataclass

from simulator.hostility import Kind


@dataclass
class Note:
    """Who called what; empty where it was not found out."""

    face: str = ""
    operation: str = ""
    application_id: str = ""
    seller_id: str = ""
    grant_type: str = ""
    is_over_plan: bool = False
    fault: Kind = Kind.NONE
