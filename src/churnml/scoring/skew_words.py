"""What the check for skew came to, in sentences of both languages: for terminal, file and page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnml.wording import Language, Text

if TYPE_CHECKING:
    from churnml.scoring.skew import ScoreSkew, Skew

_VERDICT = Text("Batch, training and online agree.", "批量、训练与在线计算一致。")
_FOUND = Text("Skew was found.", "发现偏差：批量、训练与在线计算不一致。")
_FEATURES = Text(
    "{features:,} features of {customers:,} customers of {base:,} at {day}, bit for bit. Batch against training "
    "({cutoffs} cutoffs in one pass): {in_training} differ. Batch against online (a block of one each): {online} "
    "differ.",
    "{day} 的 {base:,} 位客户中的 {customers:,} 位，{features:,} 个特征逐位比较。批量与训练（一次算 {cutoffs} "
    "个截止时点）相比：{in_training} 个不同。批量与在线（每位客户单独成块）相比：{online} 个不同。",
)
_SCORES = Text(
    "Champion {version}: {batch:,} customers scored in one batch, {alone:,} of them one by one as well; the greatest "
    "distance of {scores} is {worst:.1g}.",
    "当前模型 {version}：{batch:,} 位客户一批评分，其中 {alone:,} 位又逐一评分；{scores} 的最大差距为 {worst:.1g}。",
)
_NOT_SCORED = Text("Scores were not compared: {}", "评分未作比较：{}")


def verdict(found: Skew, language: Language = "en") -> str:
    """Return the verdict."""
    return (_FOUND if found.findings else _VERDICT).to(language)


def of_features(found: Skew, language: Language = "en") -> str:
    """Return what was compared by which ways, and how many features differ."""
    differ = {"in_training": len(found.in_training), "online": len(found.online)}
    counts = {name: getattr(found, name) for name in ("day", "customers", "base", "features", "cutoffs")}
    return _FEATURES.to(language).format(**counts, **differ)


def of_scores(scores: ScoreSkew, language: Language = "en") -> str:
    """Return how many were scored in both ways, and how far apart they are at worst."""
    worst = max(scores.worst.values())
    counts = {"version": scores.model_version[:12], "batch": scores.batch, "alone": scores.alone}
    return _SCORES.to(language).format(**counts, scores=", ".join(scores.worst), worst=worst)


def not_scored(why: str, language: Language = "en") -> str:
    """Return that scores were not compared, and why."""
    return _NOT_SCORED.to(language).format(why)
