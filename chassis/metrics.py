"""Numbers for Prometheus, held so that no label can leak or explode.

Every label has a fixed set of values; any other value is counted as "other" (T-28), so neither an
identifier nor an attacker's text becomes a time series. Where an operator's own few things must be told
apart, their identifiers are the values: of one form, and only the first so many. Each process has its own
registry.

Counting happens here, because each call counts several times; prometheus_client renders what was counted.
"""

import math
import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Container, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import TypeVar

import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

NAME_PREFIX = "sallyport_"
OTHER = "other"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# From a cached answer to the longest deadline.
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

NO_LABELS: Mapping[str, Container[str]] = MappingProxyType({})


S = TypeVar("S")
_Given = tuple[tuple[str, str], ...]


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
        self.names = tuple(allowed)

    def values(self, given: Mapping[str, str]) -> tuple[str, ...]:
        """Return the values in declared order, with "other" for what is absent or not allowed.

        Raises:
            ValueError: a label was given that the metric does not have.
        """
        if not given.keys() <= self._allowed.keys():
            raise ValueError(f"no such label: {sorted(given.keys() - self._allowed.keys())}")
        return tuple(
            given[label] if given.get(label) in allowed else OTHER for label, allowed in self._allowed.items()
        )


class _Series(dict[_Given, S]):
    """A metric's time series by the labels that were given; what is allowed is little, so this is bounded."""

    def __init__(self, labels: _Labels, make: Callable[[], S]) -> None:
        super().__init__()
        self._labels = labels
        self._make = make
        self._made: dict[tuple[str, ...], S] = {}
        if not labels.names:
            self[()] = self._made[()] = make()

    def __missing__(self, given: _Given) -> S:
        """Return the one that these labels name; see `_Labels.values`."""
        values = self._labels.values(dict(given))
        series = self._made.setdefault(values, self._make())
        if OTHER not in values:
            self[given] = series
        return series

    def all(self) -> list[tuple[tuple[str, ...], S]]:
        """Return the labels' values, in declared order, and the series of each."""
        return list(self._made.items())


class _Number:
    """One time series of a counter or a gauge."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0


class _Spread:
    """One time series of a histogram: how many fell into each bucket alone, and what they come to."""

    __slots__ = ("counts", "sum_s")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * buckets
        self.sum_s = 0.0


class Counter:
    """A number that only grows."""

    def __init__(self, name: str, text: str, labels: Mapping[str, Container[str]]) -> None:
        self._name, self._text, self._labels = name, text, _Labels(labels)
        self._series = _Series(self._labels, _Number)
        self._adding = threading.Lock()

    def inc(self, amount: float = 1, **labels: str) -> None:
        """Add `amount`, zero or more, under these labels."""
        if amount < 0:
            raise ValueError("a counter only grows")
        number = self._series[tuple(labels.items())]
        with self._adding:
            number.value += amount

    def collect(self) -> list[Metric]:
        """Return all there is, for Prometheus."""
        family = CounterMetricFamily(self._name, self._text, labels=self._labels.names)
        for values, number in self._series.all():
            family.add_metric(values, number.value)
        return [family]


class Gauge:
    """A number as it is now."""

    def __init__(self, name: str, text: str, labels: Mapping[str, Container[str]]) -> None:
        self._name, self._text, self._labels = name, text, _Labels(labels)
        self._series = _Series(self._labels, _Number)

    def set(self, value: float, **labels: str) -> None:
        """Say what the number is now under these labels."""
        self._series[tuple(labels.items())].value = value

    def collect(self) -> list[Metric]:
        """Return all there is, for Prometheus."""
        family = GaugeMetricFamily(self._name, self._text, labels=self._labels.names)
        for values, number in self._series.all():
            family.add_metric(values, number.value)
        return [family]


class Histogram:
    """How long things took."""

    def __init__(
        self, name: str, text: str, labels: Mapping[str, Container[str]], *, buckets_s: Sequence[float]
    ) -> None:
        self._name, self._text, self._labels = name, text, _Labels(labels)
        # Each bucket's upper bound, which belongs to it.
        self._bounds_s = (*map(float, buckets_s), math.inf)
        self._series = _Series(self._labels, lambda: _Spread(len(self._bounds_s)))
        self._adding = threading.Lock()

    def observe(self, duration_s: float, **labels: str) -> None:
        """Note that one thing took `duration_s` seconds under these labels."""
        spread = self._series[tuple(labels.items())]
        bucket = bisect_left(self._bounds_s, duration_s)
        with self._adding:
            spread.counts[bucket] += 1
            spread.sum_s += duration_s

    def collect(self) -> list[Metric]:
        """Return all there is, for Prometheus: a bucket there counts those below it too."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels.names)
        names = [*map(str, self._bounds_s[:-1]), "+Inf"]
        for values, spread in self._series.all():
            with self._adding:
                counts, sum_s = list(accumulate(spread.counts)), spread.sum_s
            family.add_metric(values, list(zip(names, counts, strict=True)), sum_s)
        return [family]


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
        counter = Counter(name, text, labels)
        self._show(name, text, counter)
        return counter

    def gauge(self, name: str, text: str, labels: Mapping[str, Container[str]] = NO_LABELS) -> Gauge:
        """Return a new gauge; the arguments are those of `counter`, the name ends with its unit."""
        gauge = Gauge(name, text, labels)
        self._show(name, text, gauge)
        return gauge

    def histogram(
        self,
        name: str,
        text: str,
        labels: Mapping[str, Container[str]] = NO_LABELS,
        *,
        buckets_s: Sequence[float] = BUCKETS_S,
    ) -> Histogram:
        """Return a new histogram of durations; the name ends with "_seconds"."""
        histogram = Histogram(name, text, labels, buckets_s=buckets_s)
        self._show(name, text, histogram)
        return histogram

    @property
    def texts(self) -> Mapping[str, str]:
        """Each metric's name with its line of help."""
        return MappingProxyType(self._texts)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format, to be sent as CONTENT_TYPE."""
        return prometheus_client.generate_latest(self._registry)

    def _show(self, name: str, text: str, metric: Collector) -> None:
        if not name.startswith(NAME_PREFIX):
            raise ValueError(f"a metric's name starts with {NAME_PREFIX}")
        self._registry.register(metric)
        self._texts[name] = text
