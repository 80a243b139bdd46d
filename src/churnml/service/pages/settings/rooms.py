"""The parts of the settings, and who may open which."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from churnml.database.scopes import Scope
from churnml.service.access import Caller
from churnml.wording import Language, Text


@dataclass(frozen=True)
class Part:
    """A page of the settings."""

    path: str
    title: Text
    scope: Scope


PARTS = (
    Part("/settings", Text("My own", "个人设置"), "read"),
    Part("/settings/people", Text("People", "成员"), "admin"),
    Part("/settings/keys", Text("API keys", "API 密钥"), "admin"),
    Part("/settings/webhooks", Text("Webhooks", "Webhook 推送"), "admin"),
    Part("/settings/actions", Text("Actions", "行动"), "operate"),
    Part("/settings/in-force", Text("In force", "运行配置"), "admin"),
)
SCOPE_WORDS: dict[Scope, Text] = {
    "read": Text("read records, lists and measures", "读取记录、名单和指标"),
    "contact": Text("see names, telephones, addresses and notes", "查看姓名、电话、地址和备注"),
    "write": Text("send in events, contacts, outcomes and cases", "写入事件、联系记录、结果和工单"),
    "operate": Text("run jobs, models and campaigns", "运行任务、模型和活动"),
    "admin": Text("do everything: keys, people, webhooks, erasure", "全部权限：密钥、成员、Webhook、删除数据"),
}
"""What each scope allows, in plain words."""
ROLE_WORDS: dict[str, Text] = {
    "agent": Text("Agent: works with their own customers", "客服：处理自己负责的客户"),
    "analyst": Text(
        "Analyst: models, campaigns and figures; no names or telephones", "分析师：模型、活动和指标；看不到姓名和电话"
    ),
    "admin": Text("Administrator: everything", "管理员：全部权限"),
}


@dataclass(frozen=True)
class Tab:
    """A link to a part."""

    path: str
    title: str
    here: bool


def tabs(request: Request, caller: Caller, language: Language) -> list[Tab]:
    """Return the parts that somebody may open."""
    here = request.url.path
    return [Tab(one.path, one.title.to(language), one.path == here) for one in PARTS if one.scope in caller.scopes]
