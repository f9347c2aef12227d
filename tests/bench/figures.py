"""What was measured, by name: samples of the repeats, and what is said of them."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Figure:
    """One thing measured, once in each repeat."""

    unit: str
    values: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    """By what the bare insert of the same repeat did; empty where that says nothing."""

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        """The median of the ratios, which is not the ratio of the medians; None without any."""
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest."""
        return min(self.values), max(self.values)


class Figures:
    """All figures of one bench, in the order in which they first came."""

    def __init__(self) -> None:
        self.by_name: dict[str, Figure] = {}
        self.facts: dict[str, str] = {}
        """What the figures hold for: the machine and the engines."""

    def add(self, name: str, unit: str, value: float, ratio: float | None = None) -> None:
        """Enters one repeat's sample."""
        figure = self.by_name.setdefault(name, Figure(unit))
        assert figure.unit == unit, f"{name} is measured in {figure.unit}, not in {unit}"
        figure.values.append(value)
        if ratio is not None:
            figure.ratios.append(ratio)

    def document(self) -> Mapping[str, Mapping[str, object]]:
        """What goes into the file."""
        told: dict[str, Mapping[str, object]] = {
            name: {
                "value": figure.value,
                "unit": figure.unit,
                "spread": list(figure.spread),
                "ratio": figure.ratio,
                "repeats": len(figure.values),
            }
            for name, figure in self.by_name.items()
        }
        return told | {
            name: {"value": fact, "unit": "", "spread": None, "ratio": None, "repeats": 1}
            for name, fact in self.facts.items()
        }
