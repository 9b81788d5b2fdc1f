"""What a run tells: printed as it comes, and kept for the page that shows it."""

from collections.abc import Iterable
from pathlib import Path

from sallyport.terminal import say

BEGIN = "<!-- measured: `make bench PAGE=docs/performance.md` writes from here -->"
END = "<!-- measured: to here -->"


class Page:
    """Every line told so far."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def tell(self, lines: Iterable[str]) -> None:
        """Print lines and keep them."""
        for line in lines:
            say(line)
            self._lines.append(line)

    def replace_in(self, text: str) -> str:
        """Return a page's text with these lines between its marks.

        Raises:
            ValueError: it has not each mark once, in their order.
        """
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end or BEGIN in after or END in after:
            raise ValueError(f"the page has no place for tables: {BEGIN} … {END}")
        told = "\n".join(self._lines).strip()
        return f"{before}{BEGIN}\n\n{told}\n\n{END}{after}"

    def write_to(self, file: Path) -> None:
        """Put these lines into a page in the place of the last run's.

        Raises:
            ValueError: see `replace_in`.
            OSError: the file cannot be read or written.
        """
        file.write_text(self.replace_in(file.read_text(encoding="utf-8")), encoding="utf-8")
