"""Why key rotation says no."""

from chassis.errors import Conflict, NotFound


class KeyMissing(NotFound):
    """There is no key of this owner: it never was, or it was destroyed."""

    text = "There is no such key."


class RoundMissing(NotFound):
    """No keys were asked for under this id, or too long ago."""

    text = "There is no such round of rotation."


class KeyUnderWay(Conflict):
    """The key is being rotated already."""

    code = "key_under_way"
    text = "This key is being rotated already."
