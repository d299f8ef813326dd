"""Ten tables as people have them, made by a seed: text, dates, gaps, codes, odd files."""

import datetime
import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import datasets

__all__ = ["OWN_TABLES", "OwnTable"]


class OwnTable(NamedTuple):
    """A file and what is asked of it.

    Attributes:
        write: writes the file.
        suffix: what its name ends in.
        settings: those of `fit`.
    """

    write: Callable[[Path, np.random.Generator], None]
    suffix: str
    settings: dict[str, Any]


def _csv(path: Path, columns: dict[str, Any], *, separator: str = ",") -> None:
    """A CSV whose cells stand as they are given; None is an empty one."""
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    lines = [separator.join("" if cell is None else str(cell) for cell in row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _gaps(values: Any, rng: np.random.Generator, share: float, gap: Any = None) -> list[Any]:
    """The values, some of them missing."""
    return [gap if rng.random() < share else value for value in values]


def _days(first: datetime.date, later: np.ndarray) -> list[datetime.date]:
    """Days so many after the first."""
    return [first + datetime.timedelta(days=int(n)) for n in later]


def passengers(path: Path, rng: np.random.Generator) -> None:
    """Ships' passengers: missing ages, names, tickets, a fare that is "?"."""
    n = 900
    sex, tier = rng.choice(["male", "female"], n), rng.integers(1, 4, n)
    age = rng.gamma(6, 5, n).round()
    z = 1.8 * (sex == "female") - 0.9 * (tier - 2) - 0.02 * (age - 30) - 0.7
    fare = (rng.gamma(2, 10, n) * (4 - tier)).round(2)
    _csv(
        path,
        {
            "name": [f"Passenger {i}" for i in range(n)],
            "sex": sex,
            "class": tier,
            "age": _gaps(age, rng, 0.2),
            "fare": _gaps(fare, rng, 0.02, "?"),
            "port": _gaps(rng.choice(["S", "C", "Q"], n, p=[0.7, 0.2, 0.1]), rng, 0.01, ""),
            "survived": np.where(rng.random(n) < 1 / (1 + np.exp(-z)), "yes", "no"),
        },
    )


def bicycles(path: Path, rng: np.random.Generator) -> None:
    """Bicycles rented in an hour: timestamps, seasons, holidays, a number to predict."""
    n = 1500
    start = datetime.datetime(2021, 3, 1)
    times = [start + datetime.timedelta(hours=int(h)) for h in np.sort(rng.integers(0, 15000, n))]
    season = np.array(["winter", "spring", "summer", "autumn"])[[t.month % 12 // 3 for t in times]]
    warmth = rng.normal(12, 6, n) + 8 * (season == "summer") - 8 * (season == "winter")
    holiday = rng.random(n) < 0.05
    rented = 100 + 6 * warmth + 4 * np.array([t.hour for t in times]) + 20 * (season == "spring")
    rented += 30 * np.array([t.year - 2021 for t in times]) - 40 * holiday + rng.normal(0, 25, n)
    _csv(
        path,
        {
            "when": times,
            "season": season,
            "holiday": np.where(holiday, "true", "false"),
            "warmth": _gaps(warmth.round(1), rng, 0.03, "NA"),
            "rented": rented.round(1),
        },
    )


def loans(path: Path, rng: np.random.Generator) -> None:
    """Loans: many categories, rare ones among them, gaps in texts and dates."""
    n = 1600
    purposes = np.array(["car", "house", "study", "boat", "art", "pets"])
    purpose = rng.choice(purposes, n, p=[0.5, 0.3, 0.15, 0.03, 0.015, 0.005])
    towns = np.array([f"town {i}" for i in range(60)])
    town = towns[np.minimum(rng.geometric(0.1, n) - 1, 59)]
    job = rng.choice(["none", "clerk", "own firm", "other"], n)
    amount = rng.gamma(2, 2000, n).round()
    opened = [
        datetime.date(2015, 1, 1) + datetime.timedelta(days=int(d))
        for d in rng.integers(0, 2000, n)
    ]
    z = (job == "none") * 1.5 + (amount > 4000) - 1 + (purpose == "boat") - (purpose == "house")
    _csv(
        path,
        {
            "purpose": purpose,
            "town": town,
            "job": _gaps(job, rng, 0.1),
            "amount": amount,
            "opened": _gaps(opened, rng, 0.15),
            "default": (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int),
        },
    )


def flowers(path: Path, rng: np.random.Generator) -> None:
    """The iris flowers, with a text of two values and three classes to tell apart."""
    loaded = datasets.load_iris()
    columns = dict(
        zip(["sepal length", "sepal width", "petal length"], loaded.data.T, strict=False)
    )
    width = np.where(loaded.data[:, 3] > 1.2, "wide", "narrow")
    _csv(path, {**columns, "petal": width, "species": loaded.target_names[loaded.target]})


def wide(path: Path, rng: np.random.Generator) -> None:
    """Sixty numbers, in four of which some are missing, and a number to predict."""
    n, d = 600, 60
    X = rng.normal(size=(n, d)).round(4)
    y = (X @ rng.normal(size=d) + rng.normal(size=n)).round(4)
    columns = {f"x{i}": _gaps(X[:, i], rng, 0.05 * (i % 15 == 3)) for i in range(d)}
    _csv(path, {**columns, "y": y})


def mushrooms(path: Path, rng: np.random.Generator) -> None:
    """Letters only: twelve columns of text, one of them always the same."""
    n = 1200
    letters = [rng.choice(list("abcdefg")[: k % 5 + 2], n) for k in range(11)]
    z = 2 * (letters[3] == "a") - 2 * (letters[4] == "b") + (letters[8] == "c") - 0.5
    edible = np.where(rng.random(n) < 1 / (1 + np.exp(-2 * z)), "edible", "poisonous")
    columns = {f"part {i}": column for i, column in enumerate(letters)}
    _csv(path, {**columns, "veil": ["p"] * n, "kind": edible})


def dwellings(path: Path, rng: np.random.Generator) -> None:
    """Semicolons, umlauts, quotes, marks in names, numbers with a comma."""
    n = 400
    district = rng.choice(["Köln-Süd", '"A, B"', "Ω = 1", "it's", "東京"], n)
    rooms = rng.integers(1, 7, n)
    rent = 300 + 200 * rooms + 150 * (district == "東京") + rng.normal(0, 40, n)
    size = (rooms * 22 + rng.normal(0, 5, n)).round(1)
    _csv(
        path,
        {
            "größe (m²)": [str(value).replace(".", ",") for value in size],
            "Stadt=Teil: x": district,
            "rooms": rooms,
            "Miete": rent.round(2),
        },
        separator=";",
    )


def parcels(path: Path, rng: np.random.Generator) -> None:
    """A Parquet file with its own types: dictionaries, decimals, dates with and without a zone."""
    n = 500
    town = rng.choice(["north", "south", "west"], n)
    price = [decimal.Decimal(int(cents)).scaleb(-2) for cents in rng.integers(100, 9000, n)]
    sent = [
        datetime.date(2023, 1, 1) + datetime.timedelta(days=int(d)) for d in rng.integers(0, 700, n)
    ]
    late = 2.0 * (town == "west") + np.array([float(p) for p in price]) / 40 + rng.normal(0, 0.5, n)
    seen = rng.integers(1.6e9, 1.7e9, n) * 10**6
    columns = {
        "town": pa.array(_gaps(town, rng, 0.05)).dictionary_encode(),
        "price": pa.array(_gaps(price, rng, 0.05), pa.decimal128(10, 2)),
        "sent": pa.array(_gaps(sent, rng, 0.05)),
        "seen": pa.array(seen, pa.timestamp("us", "Europe/Berlin")),
        "at": pa.array(rng.integers(0, 86400, n).astype(np.int32), pa.time32("s")),
        "paid": pa.array(_gaps((rng.random(n) < 0.7).tolist(), rng, 0.05)),
        "weight": pa.array(rng.random(n).astype(np.float32)),
        "tags": pa.array([[1, 2]] * n),
        "late": pa.array(late > np.median(late)),
    }
    pq.write_table(pa.table(columns), path)


def cakes(path: Path, rng: np.random.Generator) -> None:
    """Twenty rows."""
    n = 20
    flour = np.tile(["rye", "wheat"], n // 2)
    _csv(path, {"flour": flour, "eggs": [1, 2, None, 3] * 5, "good": np.repeat(["yes", "no"], 10)})


def clients(path: Path, rng: np.random.Generator) -> None:
    """Codes that look like numbers, an id that gives the answer away, rows without a target."""
    n = 800
    code = rng.choice(["01067", "10115", "20095", "80331"], n)
    y = rng.random(n) < np.where(code == "01067", 0.8, 0.3)
    order = np.argsort(y, kind="stable")
    spent = rng.gamma(2, 30, n).round(2)
    _csv(
        path,
        {
            "id": np.arange(1, n + 1),
            "postcode": code[order],
            "spent": spent,
            "unit": ["EUR"] * n,
            "floor": [3] * n,
            "stays": _gaps(np.where(y[order], "true", "false"), rng, 0.05),
        },
    )


OWN_TABLES = {
    "passengers": OwnTable(passengers, ".csv", {"target": "survived"}),
    "bicycles": OwnTable(bicycles, ".csv", {"target": "rented"}),
    "loans": OwnTable(loans, ".csv", {"target": "default"}),
    "flowers": OwnTable(flowers, ".csv", {"target": "species"}),
    "wide": OwnTable(wide, ".csv", {"target": "y"}),
    "mushrooms": OwnTable(mushrooms, ".csv", {"target": "kind"}),
    "dwellings": OwnTable(dwellings, ".csv", {"target": "Miete"}),
    "parcels": OwnTable(parcels, ".parquet", {"target": "late"}),
    "cakes": OwnTable(cakes, ".csv", {"target": "good"}),
    "clients": OwnTable(
        clients, ".csv", {"target": "stays", "drop": ["id"], "categories": ["postcode"]}
    ),
}
