"""What methods, figures and parts of the customers are called where a model is judged, and how figures are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from churnml.wording import Language, Text

_WITHOUT, _LEFT_OUT = "churnml without ", Text("churnml without {learner}", "churnml（不含 {learner}）")
NAMES: Mapping[str, Text] = {
    "recency rule": Text("recency rule", "按最近购买的规则"),
    "RFM table": Text("RFM table", "RFM 分格表"),
    "renewal rule": Text("renewal rule", "按续约日的规则"),
    "renewal table": Text("renewal table", "续约分格表"),
    "logistic on renewals": Text("logistic on renewals", "续约逻辑回归"),
    "renewals": Text("renewals", "续约规律"),
    "contract less churn": Text("contract less churn", "合同金额减流失"),
    "logistic on RFM": Text("logistic on RFM", "RFM 逻辑回归"),
    "LightGBM default, stacked": Text("LightGBM default, stacked", "默认 LightGBM（叠加快照）"),
    "last window repeated": Text("last window repeated", "重复上一窗口"),
    "linear regression on RFM": Text("linear regression on RFM", "RFM 线性回归"),
    "base rate": Text("base rate", "总体转化率"),
    "rate by age": Text("rate by age", "按时长的转化率"),
    "days since last act": Text("days since last act", "距上次活动天数"),
    "acts in 30 days": Text("acts in 30 days", "近 30 天活动数"),
    "logistic on a handful": Text("logistic on a handful", "少量特征的逻辑回归"),
    "item-to-item cosine": Text("item-to-item cosine", "品类余弦相似度"),
    "most bought, of what they have not": Text("most bought, of what they have not", "未购品类中最热门"),
    "most newly bought": Text("most newly bought", "最多客户新购"),
    "most bought, whatever they have": Text("most bought, whatever they have", "总体最热门"),
    "last bought, repeated": Text("last bought, repeated", "重复上次购买"),
    "their own most bought": Text("their own most bought", "客户自己购买最多"),
    "most bought, of their own": Text("most bought, of their own", "已购品类中最热门"),
    "auroc": Text("AUROC", "AUROC"),
    "auprc": Text("AUPRC", "AUPRC"),
    "brier": Text("Brier", "Brier 分数"),
    "ece": Text("ECE", "校准误差（ECE）"),
    "empc": Text("EMPC", "期望最大利润（EMPC）"),
    "log_loss": Text("log loss", "对数损失"),
    "lift_5": Text("lift 5%", "前 5% 提升度"),
    "lift_10": Text("lift 10%", "前 10% 提升度"),
    "lift_20": Text("lift 20%", "前 20% 提升度"),
    "mae": Text("MAE", "平均绝对误差"),
    "rmse": Text("RMSE", "均方根误差"),
    "spearman": Text("Spearman", "Spearman 秩相关"),
    "gini": Text("nGini", "归一化基尼系数"),
    "bias": Text("bias", "总量偏差"),
    "tenure": Text("tenure", "客户时长"),
    "predicted_value_fifth": Text("fifth of predicted value", "预测价值五等分"),
    "region": Text("region", "地区"),
    "income_band": Text("income band", "收入区间"),
    "acquisition_channel": Text("acquisition channel", "获客渠道"),
    "under 90 days": Text("under 90 days", "不足 90 天"),
    "90 to 179 days": Text("90 to 179 days", "90 至 179 天"),
    "180 to 364 days": Text("180 to 364 days", "180 至 364 天"),
    "1 to 2 years": Text("1 to 2 years", "1 至 2 年"),
    "2 years and more": Text("2 years and more", "2 年及以上"),
    "trees": Text("trees", "决策树"),
    "ridge": Text("ridge", "岭回归"),
    "rhythm": Text("rhythm", "购买节奏"),
    "as before": Text("as before", "与之前无异"),
    "better": Text("better", "更好"),
    "worse": Text("worse", "更差"),
}
DIGITS: Mapping[str, int] = {
    "brier": 4,
    "log_loss": 4,
    "empc": 2,
    "lift_5": 2,
    "lift_10": 2,
    "lift_20": 2,
    "mae": 1,
    "rmse": 1,
    "covered": 3,
    "lead": 2,
}


def called(name: str, language: Language) -> str:
    """Return what a method, a figure or a part of the customers is called; what is not known stays as it is.

    Examples
    --------
    >>> called("RFM table", "zh"), called("churnml without mine", "en")
    ('RFM 分格表', 'churnml without mine')
    """
    known = NAMES.get(name)
    if known is None and name.startswith(_WITHOUT):
        return _LEFT_OUT.to(language).format(learner=name.removeprefix(_WITHOUT))
    return name if known is None else known.to(language)


def figure(told: Sequence[float] | None, metric: str) -> str:
    """Return a figure with its interval, with the decimals that mean something; empty where there is none.

    Examples
    --------
    >>> figure([0.78791, 0.7634, 0.8119], "auroc")
    '0.788 [0.763, 0.812]'
    """
    if told is None:
        return ""
    value, low, high = (f"{one:.{DIGITS.get(metric, 3)}f}" for one in told)
    return f"{value} [{low}, {high}]"
