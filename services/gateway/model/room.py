"""Room for things that come too often: used at once, and there again as time passes."""


class Room:
    """Room for `size` things at once, and for `per_s` more each second; by the monotonic clock."""

    __slots__ = ("_at_s", "_left", "_per_s", "_size")

    def __init__(self, size: int, per_s: float, now_s: float) -> None:
        self._size = size
        self._per_s = per_s
        self._left: float = size
        self._at_s = now_s

    def wait_s(self, now_s: float) -> float:
        """Return how long until there is room for one more; 0 when there is."""
        self._left = min(self._size, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        return max(0.0, (1 - self._left) / self._per_s)

    def take(self) -> None:
        """Use the room of one."""
        self._left -= 1

    def give_back(self) -> None:
        """Have the room of one again."""
        self._left += 1
