"""A price book: what every cloud charged, by region, on one date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters import contract
from loadtests.prices.rate import PriceError, Rate, read_rate

_REFRESH = "`tripoint prices --refresh --region {region}` may find it"


@dataclass(frozen=True, slots=True)
class RegionPrices:
    """Prices of one region; where it has none of its own, those of `stand_in` are used, and said so."""

    rates: Mapping[str, Rate]
    stand_in: str | None = None


@dataclass(frozen=True, slots=True)
class PriceLookup:
    """A rate, the region whose price it is, and the assumption that was made to find it."""

    rate: Rate
    region: str
    assumption: str | None = None


@dataclass(frozen=True, slots=True)
class CloudPrices:
    """One cloud's prices on one date, by region."""

    cloud: str
    date: str
    default_region: str
    regions: Mapping[str, RegionPrices]
    areas: Mapping[str, str] = field(default_factory=dict)

    def knows(self, name: str) -> bool:
        """Whether there are prices for a region or an area of that name."""
        return name in self.regions or name in self.areas

    def region(self, name: str | None) -> str:
        """The region of that name, or of an area such as `eu`; the default one for None. Raises PriceError."""
        chosen = self.areas.get(name or "", name) or self.default_region
        if chosen not in self.regions:
            raise PriceError(
                f"no {self.cloud} prices for region {chosen!r} in the book of {self.date}: "
                f"it has {', '.join(sorted(self.regions))}; {_REFRESH.format(region=chosen)}"
            )
        return chosen

    def find(self, region: str, key: str) -> PriceLookup:
        """The price `key` in `region`, or its stand-in's with the assumption. Raises PriceError for neither."""
        here = self.regions[self.region(region)]
        if key in here.rates:
            return PriceLookup(here.rates[key], self.region(region))
        there = self.regions.get(here.stand_in or "")
        if there is None or key not in there.rates:
            raise PriceError(
                f"no {self.cloud} price {key!r} for {region} in the book of {self.date}; "
                f"{_REFRESH.format(region=region)}"
            )
        note = f"no {self.cloud} price {key!r} for {region} in the book of {self.date}: {here.stand_in}'s is used"
        return PriceLookup(there.rates[key], str(here.stand_in), note)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Dated prices of all clouds. `date` is the book's name; each cloud's prices carry their own date."""

    date: str
    clouds: Mapping[str, CloudPrices] = field(default_factory=dict)

    def of(self, cloud: str) -> CloudPrices:
        """One cloud's prices. Raises PriceError when the book has none."""
        if cloud not in self.clouds:
            raise PriceError(f"no {cloud!r} prices in the book of {self.date}: add [prices] to its cloud.toml")
        return self.clouds[cloud]


def read_prices(cloud: str, date: str, data: Mapping[str, Any]) -> CloudPrices:
    """Read one `[prices."DATE"]` section: sheets of rates, and the sheets that hold in each region."""
    sheets = {name: _sheet(sheet) for name, sheet in data["sheets"].items()}
    regions = {}
    for name, entry in data["regions"].items():
        unknown = [sheet for sheet in entry["sheets"] if sheet not in sheets]
        if unknown:
            raise PriceError(f"{cloud} {date}: region {name!r} names unknown sheets {unknown} of {sorted(sheets)}")
        rates = {key: rate for sheet in entry["sheets"] for key, rate in sheets[sheet].items()}
        regions[name] = RegionPrices(rates, entry.get("stand_in"))
    return CloudPrices(cloud, date, str(data["default_region"]), regions, data.get("areas", {}))


def read_book(document: Mapping[str, Any]) -> PriceBook:
    """Read a stored book: `{date, clouds: {cloud: {date, default_region, areas, regions, sheets}}}`.

    Raises PriceError for a document that is none. A run that keeps this document beside its samples can be costed
    again with the same prices.
    """
    try:
        sections: Mapping[str, Mapping[str, Any]] = document["clouds"]
        found = {cloud: read_prices(cloud, str(section["date"]), section) for cloud, section in sections.items()}
        return PriceBook(str(document["date"]), found)
    except KeyError as missing:
        raise PriceError(f"a price book lacks {missing}: remove it, or refresh again") from None
    except (TypeError, AttributeError) as error:
        raise PriceError(f"a price book is not built as one ({error}): remove it, or refresh again") from None


def bundled_book() -> PriceBook:
    """The newest prices in every cloud's `cloud.toml`; the book has the date of the newest."""
    found = {}
    for name in contract.clouds():
        dated: Mapping[str, Any] = contract.load(name).data.get("prices", {})
        if dated:
            date = max(dated)
            found[name] = read_prices(name, date, dated[date])
    return PriceBook(max((prices.date for prices in found.values()), default="none"), found)


def _sheet(sheet: Mapping[str, Any]) -> dict[str, Rate]:
    origin = {key: value for key, value in sheet.items() if key != "rates"}
    return {name: read_rate(name, data, origin) for name, data in sheet["rates"].items()}
