"""Ready-made JSON of every record of a run in one file, which all processes of the service map into memory.

A header; the entries, one after the other; a hash table of where they begin. An id is found by one digest and, on
average, less than two looks at the table, whatever the number of customers, and only what is asked for is read.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from struct import Struct

from churnml.errors import DependencyError

_MAGIC = b"churnml\x01"
_HEADER = Struct("<8sQQQ")  # magic, entries, slots, where the table begins
_ENTRY = Struct("<HII32s")  # bytes of the id, of the bare record, of what follows it in the whole one; the ETag
_SLOT = Struct("<Q")
_END = b"}"


@dataclass(frozen=True)
class Entry:
    """One customer's record.

    Parameters
    ----------
    customer_id : str
        Whose.
    bare : bytes
        The record as JSON, as many are told together.
    rest : bytes
        What takes the place of its closing brace when it is told alone; empty of those whom only the route may tell.
    tag : str
        The 32 hexadecimal digits of the ETag of the record told alone.
    """

    customer_id: str
    bare: bytes
    rest: bytes = b""
    tag: str = ""


def write(path: Path, entries: Iterable[Entry]) -> int:
    """Write a snapshot of entries, each customer once, and return how many there were."""
    begins, digests = array("Q"), array("Q")
    with path.open("wb") as handle:
        place = handle.write(_HEADER.pack(_MAGIC, 0, 0, 0))
        for one in entries:
            name = one.customer_id.encode()
            begins.append(place)
            digests.append(_digest(name))
            place += handle.write(_ENTRY.pack(len(name), len(one.bare), len(one.rest), one.tag.encode()))
            place += handle.write(name + one.bare[: -len(_END)] + (one.rest or _END))
        table = _table(begins, digests)
        table.tofile(handle)
        handle.seek(0)
        handle.write(_HEADER.pack(_MAGIC, len(begins), len(table), place))
    return len(begins)


class Snapshot:
    """A snapshot that was written; it can be read as long as it is held, even after its file was removed.

    Parameters
    ----------
    path : Path
        Where it is.

    Raises
    ------
    DependencyError
        If the file is no snapshot, or not a whole one.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as handle:
            size = path.stat().st_size
            self._bytes = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) if size >= _HEADER.size else b""
        magic, self.count, slots, self._table = _HEADER.unpack_from(self._bytes) if self._bytes else (b"", 0, 0, 0)
        if magic != _MAGIC or len(self._bytes) != self._table + slots * _SLOT.size:
            raise DependencyError(f"{path} must be a whole snapshot of records, found something else; remove it")
        self._mask = slots - 1

    def find(self, customer_id: str) -> tuple[bytes, bytes] | None:
        """Return the record of a customer as it is told alone, and its ETag; None if the route must be asked."""
        found = self._place(customer_id)
        if found is None:
            return None
        begin, bare, rest, tag = found
        return (self._bytes[begin : begin + bare - len(_END) + rest], tag) if rest else None

    def bare(self, customer_ids: Iterable[str]) -> Iterator[bytes | None]:
        """Give the record of each customer as many are told together, without its closing brace; None if there is none.

        It is `_place` for many: as they are asked for by the hundred, a call for each would take as long as the rest.
        """
        data, table, mask = self._bytes, self._table, self._mask
        slot_of, entry_of, entry_size, slot_size = _SLOT.unpack_from, _ENTRY.unpack_from, _ENTRY.size, _SLOT.size
        for customer_id in customer_ids:
            name = customer_id.encode("utf-8", "surrogatepass")
            slot, size, found = _digest(name) & mask, len(name), None
            while place := slot_of(data, table + slot * slot_size)[0]:
                length, bare, _, _ = entry_of(data, place)
                begin = place + entry_size + length
                if length == size and data[begin - size : begin] == name:
                    found = data[begin : begin + bare - len(_END)]
                    break
                slot = (slot + 1) & mask
            yield found

    def _place(self, customer_id: str) -> tuple[int, int, int, bytes] | None:
        """Return where a customer's record begins, the lengths of its two parts, and its tag."""
        name, data = customer_id.encode("utf-8", "surrogatepass"), self._bytes
        slot = _digest(name) & self._mask
        while place := _SLOT.unpack_from(data, self._table + slot * _SLOT.size)[0]:
            length, bare, rest, tag = _ENTRY.unpack_from(data, place)
            place += _ENTRY.size
            if length == len(name) and data[place : place + length] == name:
                return place + length, bare, rest, tag
            slot = (slot + 1) & self._mask
        return None


def _digest(name: bytes) -> int:
    digest: int = _SLOT.unpack(blake2b(name, digest_size=8).digest())[0]
    return digest


def _table(begins: array[int], digests: array[int]) -> array[int]:
    """Return the hash table by open addressing: at most half full, and nothing is ever taken out of it."""
    slots = 1 << (2 * len(begins)).bit_length()
    table, mask = array("Q", bytes(slots * _SLOT.size)), slots - 1
    for begin, digest in zip(begins, digests, strict=True):
        slot = digest & mask
        while table[slot]:
            slot = (slot + 1) & mask
        table[slot] = begin
    return table
