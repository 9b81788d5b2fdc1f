"""Numbers for Prometheus, held so that no label can leak or explode.

Every label has a fixed set of values; any other value is counted as "other" (T-28), so neither an
identifier nor an attacker's text becomes a time series. Where an operator's own few things must be told
apart, their identifiers are the values: of one form, and only the first so many. Each process has its own
registry.
"""

import re
from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from typing import Generic, TypeVar

import prometheus_client

NAME_PREFIX = "sallyport_"
OTHER = "other"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# From a cached answer to the longest deadline.
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

NO_LABELS: Mapping[str, Container[str]] = MappingProxyType({})


M = TypeVar("M", prometheus_client.Counter, prometheus_client.Gauge, prometheus_client.Histogram)


class Identifiers(Container[str]):
    """The values of a label that only an operator's decisions bring forth: the first of one form."""

    def __init__(self, form: re.Pattern[str], *, values_max: int) -> None:
        self._form = form
        self._values_max = values_max
        self._known: set[str] = set()

    def __contains__(self, value: object) -> bool:
        """Return whether a value may be shown; it is one of the first `values_max` of this form then."""
        if value in self._known:
            return True
        has_room = len(self._known) < self._values_max
        if not has_room or not isinstance(value, str) or not self._form.fullmatch(value):
            return False
        self._known.add(value)
        return True


class _Labels:
    """The labels of one metric and what each may say."""

    def __init__(self, allowed: Mapping[str, Container[str]]) -> None:
        self._allowed = dict(allowed)
        self.is_empty = not allowed

    def values(self, given: Mapping[str, str]) -> list[str]:
        """Return the values in declared order, with "other" for what is absent or not allowed.

        Raises:
            ValueError: a label was given that the metric does not have.
        """
        if not given.keys() <= self._allowed.keys():
            raise ValueError(f"no such label: {sorted(given.keys() - self._allowed.keys())}")
        return [
            given[label] if given.get(label) in allowed else OTHER for label, allowed in self._allowed.items()
        ]


class _Series(Generic[M]):
    """A metric's time series, each found once: what is allowed is little, so what is found is bounded."""

    def __init__(self, metric: M, labels: _Labels) -> None:
        self._metric: M = metric
        self._labels = labels
        self._found: dict[tuple[tuple[str, str], ...], M] = {}

    def of(self, given: Mapping[str, str]) -> M:
        """Return the one that these labels name; see `_Labels.values`."""
        if not given and self._labels.is_empty:
            return self._metric
        key = tuple(given.items())
        found = self._found.get(key)
        if found is None:
            values = self._labels.values(given)
            series: M = self._metric.labels(*values)
            if OTHER not in values:
                self._found[key] = series
            return series
        return found


class Counter:
    """A number that only grows."""

    def __init__(self, metric: prometheus_client.Counter, labels: _Labels) -> None:
        self._series = _Series(metric, labels)

    def inc(self, amount: float = 1, **labels: str) -> None:
        """Add `amount`, zero or more, under these labels."""
        self._series.of(labels).inc(amount)


class Gauge:
    """A number as it is now."""

    def __init__(self, metric: prometheus_client.Gauge, labels: _Labels) -> None:
        self._series = _Series(metric, labels)

    def set(self, value: float, **labels: str) -> None:
        """Say what the number is now under these labels."""
        self._series.of(labels).set(value)


class Histogram:
    """How long things took."""

    def __init__(self, metric: prometheus_client.Histogram, labels: _Labels) -> None:
        self._series = _Series(metric, labels)

    def observe(self, duration_s: float, **labels: str) -> None:
        """Note that one thing took `duration_s` seconds under these labels."""
        self._series.of(labels).observe(duration_s)


class Registry:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._registry = prometheus_client.CollectorRegistry(auto_describe=True)
        self._texts: dict[str, str] = {}

    def counter(
        self,
        name: str,
        text: str,
        labels: Mapping[str, Container[str]] = NO_LABELS,
    ) -> Counter:
        """Return a new counter.

        Args:
            name: starts with "sallyport_", ends with "_total".
            text: one line of help.
            labels: each label with every value it may have.
        """
        self._note(name, text)
        return Counter(
            prometheus_client.Counter(name, text, list(labels), registry=self._registry),
            _Labels(labels),
        )

    def gauge(self, name: str, text: str, labels: Mapping[str, Container[str]] = NO_LABELS) -> Gauge:
        """Return a new gauge; the arguments are those of `counter`, the name ends with its unit."""
        self._note(name, text)
        return Gauge(
            prometheus_client.Gauge(name, text, list(labels), registry=self._registry),
            _Labels(labels),
        )

    def histogram(
        self,
        name: str,
        text: str,
        labels: Mapping[str, Container[str]] = NO_LABELS,
        *,
        buckets_s: Sequence[float] = BUCKETS_S,
    ) -> Histogram:
        """Return a new histogram of durations; the name ends with "_seconds"."""
        self._note(name, text)
        return Histogram(
            prometheus_client.Histogram(
                name,
                text,
                list(labels),
                registry=self._registry,
                buckets=tuple(buckets_s),
            ),
            _Labels(labels),
        )

    @property
    def texts(self) -> Mapping[str, str]:
        """Each metric's name with its line of help."""
        return MappingProxyType(self._texts)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format, to be sent as CONTENT_TYPE."""
        return prometheus_client.generate_latest(self._registry)

    def _note(self, name: str, text: str) -> None:
        if not name.startswith(NAME_PREFIX):
            raise ValueError(f"a metric's name starts with {NAME_PREFIX}")
        self._texts[name] = text
