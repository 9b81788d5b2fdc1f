"""Reads a policy file: TOML in, an `ApplicationPolicy` out, or everything that is wrong with it at once.

Nothing is guessed: an unknown key, a scope that no device has or a purpose that is not declared is a problem,
because a rule that is not understood would open or close something else than its author meant. What is
legal and probably not meant (a pattern that names nothing, say) is `policy_advice`'s.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from chassis.errors import InvalidInput
from services.gateway.model.application_policy import (
    ANY,
    CLASSES,
    PURPOSE_UNSTATED,
    SCOPE_PII,
    SCOPES,
    ApplicationPolicy,
    BudgetRule,
    CacheRule,
    DelegationRule,
    FieldRule,
    GrantlessRule,
    Share,
    Sight,
    Terms,
)
from services.gateway.model.calls import Profile
from services.gateway.model.priority import Priority

VERSION = 1
# A file that says something about each of the 370 operations has about 60 KB.
POLICY_BYTES_MAX = 262_144
RULES_MAX = 500
WORDS_MAX = 500
PROBLEMS_MAX = 100
# An hour old is too old for any of Amazon's answers.
CACHE_LIFE_S_MAX = 3_600.0

# What is there of a file that was cut short is often TOML, without the rule that takes something back.
UNENDED = "the file ends within a line, as one does that is not there in full; end the line"

# Nothing but `*` has a meaning of its own to `fnmatch` in these.
PATTERN_FORM = re.compile(r"[A-Za-z0-9_.*-]{1,128}", re.ASCII)
PURPOSE_FORM = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)
DEVICE_FORM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\*", re.ASCII)
APPLICATION_FORM = re.compile(r"amzn1\.[A-Za-z0-9._-]{1,120}|\*", re.ASCII)

# What renews the client secret is not opened to any desktop, whoever asks for it.
NEVER_OPEN = "application_2023-11-30.rotateApplicationClientSecret"

_TERMS = ("operations", "scopes", "profiles", "purposes")
_TABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "allow": _TERMS,
        "fields": (*_TERMS, *Sight),
        "grantless": (*_TERMS, "devices"),
        "delegates": ("application", "operations"),
        "caches": ("operations", "seconds"),
        "budgets": ("operations", "priority", "of_plan", "of_device"),
    }
)
_SINGLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"purposes": ("default", "others"), "documents": ("personal_reports",)}
)
_TOP = ("version", "deny", *_SINGLE, *_TABLES)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        line: counted from 1; 0 when it is about the file as a whole.
        key: where, e.g. "allow[0].profiles".
        text: what is wrong, and what to do.
    """

    line: int
    key: str
    text: str

    def __str__(self) -> str:
        place = ", ".join(each for each in (f"line {self.line}" if self.line else "", self.key) if each)
        return f"{place}: {self.text}" if place else self.text


class PolicyInvalid(InvalidInput):
    """The file cannot be followed.

    Attributes:
        problems: all of them in the file's order, at most PROBLEMS_MAX.
    """

    code = "policy_invalid"
    text = "The policy file cannot be followed."

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = tuple(sorted(problems, key=lambda each: each.line))[:PROBLEMS_MAX]


def parse(raw: bytes) -> ApplicationPolicy:
    """Return the policy that a file holds.

    Raises:
        PolicyInvalid: it cannot be followed; all problems are listed.
    """
    if len(raw) > POLICY_BYTES_MAX:
        raise PolicyInvalid([Problem(0, "", f"the file has more than {POLICY_BYTES_MAX} bytes; split it up")])
    try:
        text = raw.decode()
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        problem = Problem(int(line[1]) if line else 0, "", f"this is not TOML: {error}")
        raise PolicyInvalid([problem]) from error
    reading = _Reading(document, lines(text))
    if not text.endswith("\n"):
        reading.problems.append(Problem(text.count("\n") + 1, "", UNENDED))
    policy = reading.policy(hashlib.sha256(raw).hexdigest())
    if reading.problems:
        raise PolicyInvalid(reading.problems)
    return policy


class _Table:
    """One table of the file, and where it stands."""

    def __init__(self, reading: "_Reading", key: str, values: Mapping[str, Any]) -> None:
        self._reading = reading
        self._key = key
        self._values = values

    def refuse(self, name: str, text: str) -> None:
        """Note a problem with one key."""
        self._reading.refuse(f"{self._key}.{name}" if self._key else name, text)

    def has(self, name: str) -> bool:
        """Return whether the table has a key."""
        return name in self._values

    def check_keys(self, known: Iterable[str]) -> None:
        """Note every key that has no meaning here."""
        for name in self._values.keys() - set(known):
            self.refuse(name, f"there is no such key; there are {', '.join(known)}")

    def words(
        self, name: str, form: re.Pattern[str] | frozenset[str], *, is_needed: bool = False
    ) -> tuple[str, ...]:
        """Return a list of words that have a form, or are of a few known ones."""
        given = self._values.get(name, [])
        if not isinstance(given, list) or len(given) > WORDS_MAX or (is_needed and not given):
            least = 1 if is_needed else 0
            self.refuse(name, f'must be a list of {least} to {WORDS_MAX} words, e.g. ["one", "two"]')
            return ()
        return tuple(word for word in given if self._is_word(name, word, form))

    def word(self, name: str, form: re.Pattern[str] | frozenset[str], default: str) -> str:
        """Return one such word, or the default where none is given."""
        if not self.has(name):
            return default
        given: str = self._values[name]
        return given if self._is_word(name, given, form) else default

    def number(self, name: str, default: float, *, most: float, may_be_zero: bool = False) -> float:
        """Return a number above 0, or 0 where that means something."""
        given = self._values.get(name, default)
        is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
        if not is_number or not (0 < given <= most or (may_be_zero and given == 0)):
            least = "from 0" if may_be_zero else "above 0"
            self.refuse(name, f"must be a number {least}, at most {most:g}")
            return default
        return float(given)

    def terms(self) -> Terms:
        """Return which calls the table's rule is about."""
        return Terms(
            operations=self.words("operations", PATTERN_FORM, is_needed=True),
            scopes=frozenset(self.words("scopes", SCOPES)),
            profiles=frozenset(map(Profile, self.words("profiles", frozenset(Profile)))),
            purposes=frozenset(self.words("purposes", self._reading.purposes)),
        )

    def _is_word(self, name: str, word: object, form: re.Pattern[str] | frozenset[str]) -> bool:
        if isinstance(form, frozenset):
            if isinstance(word, str) and word in form:
                return True
            self.refuse(name, f"{_shown(word)} is not known here; there are {', '.join(sorted(form))}")
            return False
        if isinstance(word, str) and form.fullmatch(word):
            return True
        self.refuse(name, f"{_shown(word)} is not of the form {form.pattern}")
        return False


class _Reading:
    """One file being read; problems gather, and whatever is wrong is left out of what is returned."""

    def __init__(self, document: Mapping[str, Any], lines: Mapping[str, int]) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._lines = lines
        self._top = _Table(self, "", document)
        stated = self._single("purposes")
        self._purpose_default = stated.word("default", PURPOSE_FORM, PURPOSE_UNSTATED)
        self.purposes = frozenset({self._purpose_default, *stated.words("others", PURPOSE_FORM)})

    def refuse(self, key: str, text: str) -> None:
        """Note a problem."""
        known = key
        while known and known not in self._lines:
            known = known.rpartition(".")[0]
        self.problems.append(Problem(self._lines.get(known, 0), key, text))

    def policy(self, digest: str) -> ApplicationPolicy:
        """Return what the file says."""
        self._top.check_keys(_TOP)
        if self._document.get("version") != VERSION:
            self.refuse("version", f"must be {VERSION}, the one form of this file that there is")
        openings = tuple(table.terms() for table in self._tables("allow"))
        if not openings and "allow" not in {problem.key for problem in self.problems}:
            self.refuse("allow", "there is no [[allow]], so nothing could be called; open something")
        return ApplicationPolicy(
            openings=openings,
            denied=self._top.words("deny", PATTERN_FORM),
            fields=tuple(map(self._field_rule, self._tables("fields"))),
            purposes=self.purposes,
            purpose_default=self._purpose_default,
            grantless=tuple(map(self._grantless_rule, self._tables("grantless"))),
            delegations=tuple(map(self._delegation_rule, self._tables("delegates"))),
            personal_reports=self._single("documents").words("personal_reports", PATTERN_FORM),
            caches=tuple(map(self._cache_rule, self._tables("caches"))),
            budgets=tuple(map(self._budget_rule, self._tables("budgets"))),
            digest=digest,
        )

    def _field_rule(self, table: _Table) -> FieldRule:
        sights: dict[str, Sight] = {}
        for sight in Sight:
            for kind in table.words(sight, CLASSES | {ANY}):
                if kind in sights:
                    table.refuse(sight, f"{kind} is also {sights[kind]} in this rule; say it once")
                sights[kind] = sight
        if not any(table.has(sight) for sight in Sight):
            table.refuse("operations", f"the rule says nothing; add {', '.join(Sight)}, or remove it")
        terms = table.terms()
        if Sight.FULL in sights.values() and SCOPE_PII not in terms.scopes:
            table.refuse(
                "full", f'only devices with the scope {SCOPE_PII} see data in full; add scopes = ["pii"]'
            )
        return FieldRule(terms, MappingProxyType(sights))

    def _grantless_rule(self, table: _Table) -> GrantlessRule:
        terms = table.terms()
        if NEVER_OPEN in terms.operations:
            table.refuse("operations", f"{NEVER_OPEN} is open to no desktop, ever; remove it")
        return GrantlessRule(terms, frozenset(table.words("devices", DEVICE_FORM, is_needed=True)))

    def _delegation_rule(self, table: _Table) -> DelegationRule:
        if not table.has("application"):
            table.refuse("application", 'name the other developer\'s application, or "*"')
        return DelegationRule(
            table.word("application", APPLICATION_FORM, ""),
            table.words("operations", PATTERN_FORM, is_needed=True),
        )

    def _cache_rule(self, table: _Table) -> CacheRule:
        if not table.has("seconds"):
            table.refuse("seconds", "say for how long")
        return CacheRule(
            table.words("operations", PATTERN_FORM, is_needed=True),
            table.number("seconds", 0.0, most=CACHE_LIFE_S_MAX, may_be_zero=True),
        )

    def _budget_rule(self, table: _Table) -> BudgetRule:
        priority = table.word("priority", frozenset(Priority), "")
        share = Share(table.number("of_plan", 1.0, most=1.0), table.number("of_device", 1.0, most=1.0))
        operations = table.words("operations", PATTERN_FORM, is_needed=True)
        return BudgetRule(operations, Priority(priority) if priority else None, share)

    def _tables(self, name: str) -> Iterator[_Table]:
        """Yield the tables of one array."""
        given = self._document.get(name, [])
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            self.refuse(name, f"must be tables, each under a line [[{name}]]")
            return
        if len(given) > RULES_MAX:
            self.refuse(name, f"more than {RULES_MAX} rules; use patterns")
        for at, values in enumerate(given[:RULES_MAX]):
            table = _Table(self, f"{name}[{at}]", values)
            table.check_keys(_TABLES[name])
            yield table

    def _single(self, name: str) -> _Table:
        given = self._document.get(name, {})
        if not isinstance(given, dict):
            self.refuse(name, f"must be a table under a line [{name}]")
            given = {}
        table = _Table(self, name, given)
        table.check_keys(_SINGLE[name])
        return table


_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_-]+)\s*\]\]?")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


def lines(text: str) -> dict[str, int]:
    """Return the line of each key as it is usually written; good enough to send somebody to the place."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[2]
            counts[name] = counts.get(name, -1) + 1
            table = f"{name}[{counts[name]}]" if header[1] == "[[" else name
            found.setdefault(table, number)
            found.setdefault(name, number)
        elif key := _KEY.match(line):
            found.setdefault(f"{table}.{key[1]}" if table else key[1], number)
    return found


def _shown(word: object) -> str:
    return repr(word)[:80]
