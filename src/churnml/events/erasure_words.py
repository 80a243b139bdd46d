"""What a receipt of an erasure says to people, in English and Chinese; machines have the same as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from churnml.wording import Language, Text

OUT_OF_REACH = (
    Text(
        "what was pushed to webhook endpoints, handed to other systems or written outside the workspace: endpoints "
        "that ask for `customer.erased` are told, all others are to be told by you",
        "已推送到 Webhook 端点、交给其他系统或写到工作区之外的内容："
        "订阅 `customer.erased` 的端点会收到通知，其余需由您通知",
    ),
    Text(
        "backups outside the workspace: when one is restored, everybody with a tombstone is erased again before it is "
        "used",
        "工作区之外的备份：恢复时，凡有删除标记的客户会在使用前再次删除",
    ),
    Text(
        "the write-ahead log, replicas and backups of a PostgreSQL server: their operator removes them",
        "PostgreSQL 服务器的预写日志、副本和备份：由其运维人员清除",
    ),
    Text(
        "what people wrote about one customer in the notes of another",
        "他人在另一位客户的备注中写下的内容",
    ),
    Text(
        "files that you put into the workspace in a form that churnml does not write, such as .pdf or .docx",
        "您放入工作区、而 churnml 不会写出的格式的文件，例如 .pdf 或 .docx",
    ),
)
"""What an erasure does not reach; each receipt says so."""

_STATES = {
    "going_on": Text("files are being rewritten", "正在重写文件"),
    "emptying": Text("deleted bytes are being overwritten", "正在覆盖已删除的字节"),
    "done": Text("done {at}", "完成于 {at}"),
}
_REASONS = {
    "request": Text("a plain request", "客户请求"),
    "no_longer_needed": Text("no longer needed", "已不再需要"),
    "consent_withdrawn": Text("consent withdrawn", "撤回同意"),
    "objection": Text("objection", "提出反对"),
    "unlawful": Text("unlawful processing", "处理不合法"),
    "legal_obligation": Text("legal obligation", "法律义务"),
    "restored": Text("erased again after a restore", "恢复备份后再次删除"),
}
_PLACES = {
    "assignments": Text("assignments", "行动分配"),
    "refusals": Text("refusals", "拒绝记录"),
    "answers": Text("kept answers", "保存的应答"),
    "cases": Text("cases and notes", "案例与备注"),
    "consents": Text("consents", "同意记录"),
    "messages": Text("messages", "消息"),
    "audit_names": Text("names in the audit log", "审计日志中的代称"),
    "records": Text("decision records", "决策记录"),
    "arrivals": Text("arrivals", "到达的行"),
    "jobs": Text("jobs that named them", "提及其的任务"),
    "job_lines": Text("lines of job logs", "任务日志行"),
    "export_rows": Text("rows of exports", "导出文件的行"),
    "export_files": Text("exports gone whole", "整份删除的导出文件"),
    "export_mentions": Text("mentions in reports", "报告中的提及"),
    "export_drafts": Text("half-written files", "未写完的文件"),
    "backups": Text("backups gone through", "已清理的备份"),
    "quarantined": Text("rows set aside", "隔离的行"),
    "reports": Text("reports of landings", "入库报告"),
    "measured": Text("rows that measures keep", "指标保留的行"),
}
_TABLE = Text("rows of table {name}", "表 {name} 的行")
_DEEDS = {
    "list.exported": Text("a list", "名单"),
    "records.exported": Text("decision records", "决策记录"),
    "features.exported": Text("a feature table", "特征表"),
    "digest.sent": Text("an e-mailed digest", "邮件摘要"),
    "backup.made": Text("a backup", "备份"),
    "webhook.sent": Text("webhook messages", "Webhook 消息"),
}
_NOTHING_KNOWN = Text("nothing was known of them", "没有关于他们的任何数据")
_NOTHING_LEFT = Text("nothing was left to be done", "没有未完成的删除")
_NOTHING_HANDED_OUT = Text("nothing, by the audit log", "审计日志中没有记录")
_NOT_LOOKED_FOR = Text("not known: it was not looked for yet when this was erased", "未知：此次删除时尚未核查")
_TITLE = Text(
    "Receipt {erasure_id}: {customers:,} customers, {state}", "删除回执 {erasure_id}：{customers:,} 位客户，{state}"
)
_ASKED = Text("asked by {who} at {at}: {reason}", "{who} 于 {at} 提出：{reason}")
_WENT = Text("went: {what}", "已删除：{what}")
_TOMBSTONES = Text("tombstones: {what}", "删除标记：{what}")
_HANDED_OUT = Text("may hold them, outside: {what}", "外部可能仍含其数据：{what}")
_ONCE = Text("{deed}, {at}, by {by}", "{deed}，{at}，{by}")
_OFTEN = Text("{deed}, {times:,} times from {first} to {at}, by {by}", "{deed}，共 {times:,} 次，{first} 至 {at}，{by}")
_OUT_OF_REACH = Text("out of reach: {what}", "无法触及：{what}")


def receipts_told(receipts: list[dict[str, Any]], language: Language = "en") -> str:  # Any: JSON
    """Return receipts as lines for people.

    Parameters
    ----------
    receipts : list of dict
        As `erasing.receipt` gives them.

    Examples
    --------
    >>> receipts_told([], "zh")
    '没有未完成的删除'
    """
    return "\n\n".join(_told(one, language) for one in receipts) or _NOTHING_LEFT.to(language)


def _told(one: Mapping[str, Any], language: Language) -> str:  # Any: JSON
    state = _STATES[one["state"]].to(language).format(at=one["finished_at"])
    reason = _REASONS[one["reason"]].to(language)
    lines = [
        _ASKED.to(language).format(who=one["asked_by"], at=one["asked_at"], reason=reason),
        _WENT.to(language).format(what=_counts(one["counts"], language)),
        _TOMBSTONES.to(language).format(what=" ".join(one["tombstones"])),
        *(_HANDED_OUT.to(language).format(what=what) for what in _handed_out(one["handed_out"], language)),
        *(_OUT_OF_REACH.to(language).format(what=told[language]) for told in one["out_of_reach"]),
    ]
    title = _TITLE.to(language).format(erasure_id=one["erasure_id"], customers=one["customers"], state=state)
    return "\n  ".join([title, *lines])


def _counts(counts: Mapping[str, int], language: Language) -> str:
    apart = "、" if language == "zh" else ", "
    return apart.join(f"{_place(name, language)} {n:,}" for name, n in counts.items()) or _NOTHING_KNOWN.to(language)


def _place(name: str, language: Language) -> str:
    if name.startswith("table_"):
        return _TABLE.to(language).format(name=name.removeprefix("table_"))
    return _PLACES[name].to(language)


def _handed_out(found: list[dict[str, Any]] | None, language: Language) -> list[str]:  # Any: JSON
    if found is None:
        return [_NOT_LOOKED_FOR.to(language)]
    return [_handed(one, language) for one in found] or [_NOTHING_HANDED_OUT.to(language)]


def _handed(one: Mapping[str, Any], language: Language) -> str:  # Any: JSON
    form = f" ({one['form']})" if one["form"] else ""
    words = _ONCE if one["times"] == 1 else _OFTEN
    deed = _DEEDS[one["what"]].to(language) + form
    return words.to(language).format(
        deed=deed, times=one["times"], first=one["first_at"], at=one["last_at"], by=one["by"]
    )
