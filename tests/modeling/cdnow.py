"""CDNOW's customers, in weeks: of the tenth, 2,357 over 39 weeks; of the master file, all 23,570."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from churnml.modeling.btyd import Rfm


def datasets():
    # The package is only where the files lie: finding it does not run it.
    spec = importlib.util.find_spec("lifetimes")
    if spec is None or spec.origin is None:
        pytest.skip("the CDNOW files come with the development extra")
    return Path(spec.origin).parent / "datasets"


def tenth():
    file = datasets() / "cdnow_customers_summary_with_transactions.csv"
    return Rfm(*np.loadtxt(file, delimiter=",", skiprows=1, usecols=(1, 2, 3, 4), unpack=True))


def spending():
    """Customers of the master file after 39 weeks, with mean spend, and the days and spend of the next 39."""
    columns = np.loadtxt(datasets() / "CDNOW_master.txt", dtype=str, skiprows=1, usecols=(0, 1, 3), unpack=True)
    days = np.array([f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in columns[1]], dtype="datetime64[D]")
    ahead = (days - np.datetime64("1997-10-01")).astype(int)
    pairs, place = np.unique(np.column_stack([columns[0].astype(int), ahead]), axis=0, return_inverse=True)
    spent = np.bincount(place.ravel(), columns[2].astype(float))
    (who, day), spent = pairs[spent > 0].T, spent[spent > 0]
    ids, first_row, who = np.unique(who, return_index=True, return_inverse=True)
    past, repeat = day < 0, day > day[first_row][who]
    orders, later = (np.bincount(who, rows, len(ids)) for rows in (past & repeat, ~past))
    mean = np.bincount(who, spent * (past & repeat), len(ids)) / np.maximum(orders, 1)
    last = np.full(len(ids), -(10**6))
    np.maximum.at(last, who[past], day[past])
    known = day[first_row] < 0
    rfm = Rfm(orders[known], (last - day[first_row])[known], -day[first_row][known], mean[known])
    return rfm, later[known], np.bincount(who, spent * ~past, len(ids))[known]


def master():
    """Customers after 39 weeks, on 1997-09-30, told by the days on which they bought."""
    ids, days = np.loadtxt(datasets() / "CDNOW_master.txt", dtype=str, skiprows=1, usecols=(0, 1), unpack=True)
    days = np.array([f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in days], dtype="datetime64[D]")
    ago = (np.datetime64("1997-09-30") - days).astype(int)
    pairs = np.unique(np.column_stack([ids.astype(int), ago])[ago >= 0], axis=0)
    _, first, counts = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    last_day, first_day = pairs[first, 1], pairs[first + counts - 1, 1]
    return Rfm(counts - 1, (first_day - last_day) / 7, first_day / 7)
