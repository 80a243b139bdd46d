"""Who is not handed over, and why; each is counted under the first reason that fits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from churnml.database.lists import CLOSED
from churnml.service.exports import safe
from churnml.service.handoff.shapes import Shape
from churnml.service.readings import Record
from churnml.wording import Text

LEFT_OUT: Mapping[str, Text] = {
    "control": Text("controls: withheld by chance to measure the effect", "对照客户：为衡量效果而随机不干预"),
    "held_out": Text("held out of every campaign", "长期留出客户"),
    "not_contactable": Text("may not be approached now", "目前不可联系"),
    "no_email": Text("no e-mail address known", "没有邮箱地址"),
    "formula_id": Text("an id that a spreadsheet would run as a formula", "编号会被电子表格当作公式执行"),
    "forbidden_id": Text("an id with a letter that the tool does not take", "编号含有该工具不接受的字符"),
}
"""Why somebody is left out."""
_MAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,255}")


def barred_because(record: Record) -> str | None:
    """Return why somebody is not to be approached, or None."""
    arm, because = record.get("arm"), record.get("no_action_because")
    if arm in {"control", "held_out"}:
        return str(arm)
    return str(because) if because in CLOSED else None


@dataclass
class Sorter:
    """Lets pass who is handed over, and counts who is not.

    Parameters
    ----------
    shape : Shape
        For whom the file is.
    emails : mapping of str to str
        The address of each customer, where the tool needs one; an id that is an address stands for itself.
    marked : bool, default False
        Whether controls and held-out customers stay, marked by `do_not_approach`, in a tool that writes to nobody.
    left_out : Counter
        How many were not handed over, by reason of `LEFT_OUT`.
    """

    shape: Shape
    emails: Mapping[str, str] = field(default_factory=dict)
    marked: bool = False
    left_out: Counter[str] = field(default_factory=Counter)

    def passing(self, found: Iterable[Record]) -> Iterator[tuple[Record, str | None]]:
        """Give each record that is handed over, and the e-mail address where one is needed."""
        for record in found:
            mail = self._mail(str(record["customer_id"])) if self.shape.key == "email" else None
            why = self._why_not(record, mail)
            if why is None:
                yield record, mail
            else:
                self.left_out[why] += 1

    def _why_not(self, record: Record, mail: str | None) -> str | None:
        customer, barred = str(record["customer_id"]), barred_because(record)
        if barred in {"control", "held_out"} and (self.shape.mails or not self.marked):
            return barred
        if self.shape.mails and (barred is not None or record.get("arm") is None):
            return "not_contactable"
        if self.shape.key == "email" and mail is None:
            return "no_email"
        if self.shape.kind == "csv" and (safe(customer) != customer or (mail is not None and safe(mail) != mail)):
            return "formula_id"
        return "forbidden_id" if any(letter in customer for letter in self.shape.forbidden) else None

    def _mail(self, customer: str) -> str | None:
        address = self.emails.get(customer, customer).strip()
        return address if _MAIL.fullmatch(address) else None
