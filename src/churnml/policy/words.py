"""Why somebody gets nothing, in words a retention team acts on: the rules of eligibility and what comes after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from churnml.policy.eligibility import Rule
from churnml.wording import Text

Because = Literal["no_score", "not_worthwhile", "limits"] | Rule
"""Why nothing is done for a customer: not judged, nothing open by a rule, nothing worth it, or others came first."""


@dataclass(frozen=True)
class Explained:
    """A reason for doing nothing: its name, and what it means."""

    name: Text
    meaning: Text


BECAUSE: dict[Because, Explained] = {
    "no_score": Explained(
        Text("Not scored", "未评分"),
        Text(
            "Prospects, trials and those gone already have no churn probability that an action could change.",
            "潜在客户、试用客户和已离开的客户没有可供干预的流失概率。",
        ),
    ),
    "no_profiling": Explained(
        Text("Refuses profiling", "拒绝画像"),
        Text(
            "They refuse to be profiled, so nothing is said or done on the ground of their data.",
            "客户拒绝画像，因此不依据其数据作出任何判断或行动。",
        ),
    ),
    "held_out": Explained(
        Text("Held out", "对照留出"),
        Text(
            "They belong to the hold-out that shows what happens when nothing is done.",
            "客户属于长期留出组，用于观察不采取任何行动时的结果。",
        ),
    ),
    "assigned": Explained(
        Text("Assigned before", "本期已分配"),
        Text(
            "This campaign has assigned them something already, or withheld it; once in a campaign is enough.",
            "本期活动已为其分配过动作（或随机留作对照），每期每位客户只分配一次。",
        ),
    ),
    "sector": Explained(
        Text("Another kind of business", "行业不符"),
        Text(
            "The action is meant for another kind of business; see `sector` in configs/assign.yaml.",
            "该动作面向其他行业；参见 configs/assign.yaml 中的 `sector`。",
        ),
    ),
    "no_consent": Explained(
        Text("No consent", "未同意联系"),
        Text(
            "They have not agreed to be approached by the action's channel, or have taken it back.",
            "客户未同意通过该渠道接收联系，或已撤回同意。",
        ),
    ),
    "open_complaint": Explained(
        Text("Open complaint", "投诉未结"),
        Text(
            "A complaint of theirs is not settled, and only what answers it is open; or the action answers one and "
            "there is none.",
            "客户有未结投诉，此时只开放处理投诉的动作；或该动作用于处理投诉而客户没有未结投诉。",
        ),
    ),
    "contact_cap": Explained(
        Text("Contacted enough", "联系已达上限"),
        Text(
            "They were contacted as often in the last seven days as `contacts_per_week` allows.",
            "最近七天的联系次数已达 `contacts_per_week` 上限。",
        ),
    ),
    "cool_down": Explained(
        Text("Too soon again", "冷却期内"),
        Text(
            "They had the same action less than its `cool_down_days` ago.",
            "距上次同一动作的天数少于其 `cool_down_days`。",
        ),
    ),
    "stage": Explained(
        Text("Lifecycle stage", "生命周期阶段不符"),
        Text("The action is meant for other lifecycle stages.", "该动作面向其他生命周期阶段的客户。"),
    ),
    "segment": Explained(
        Text("Segment", "客户分群不符"),
        Text("The action is meant for other segments.", "该动作面向其他客户分群。"),
    ),
    "risk_band": Explained(
        Text("Risk band", "风险等级不符"),
        Text("The action is meant for other risk bands.", "该动作面向其他风险等级的客户。"),
    ),
    "reason": Explained(
        Text("Reason", "原因不符"),
        Text("Their top reason is none that the action answers.", "客户的首要流失原因不是该动作所针对的原因。"),
    ),
    "no_renewal": Explained(
        Text("No renewal near", "近期无续约"),
        Text(
            "No contract of theirs is known to renew within the action's `renews_within_days`.",
            "在该动作的 `renews_within_days` 内没有已知的合同续约。",
        ),
    ),
    "no_category": Explained(
        Text("No category to offer", "无可推荐品类"),
        Text(
            "It is not known which category they would buy next, and the action has to name one.",
            "无法判断客户接下来可能购买的品类，而该动作必须指明品类。",
        ),
    ),
    "sleeping_dog": Explained(
        Text("Better left alone", "不宜打扰"),
        Text(
            "An experiment showed that the action drives customers like them away.",
            "实验表明，该动作会使此类客户流失加剧。",
        ),
    ),
    "not_worthwhile": Explained(
        Text("Not worth its cost", "得不偿失"),
        Text(
            "Something was open, but nothing whose cautious effect is above its cost.",
            "有可选动作，但按谨慎估计其效果均不高于成本。",
        ),
    ),
    "limits": Explained(
        Text("Beyond budget or capacity", "超出预算或名额"),
        Text(
            "Something was worth its cost, but the budget or the places of the action went where they bring more.",
            "有值得采取的动作，但预算或名额已用于收益更高的客户。",
        ),
    ),
}
"""Every reason for doing nothing."""
