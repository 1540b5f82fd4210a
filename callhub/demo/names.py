"""Words that the made-up people of the demo are put together from; nobody real is meant.

Chinese on purpose: this is data as an administrator in Tianjin would import it, not text that callhub says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

SURNAMES = tuple("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕")
"""Common surnames of one character."""

ELDER_GIVEN = (
    "桂英", "秀兰", "玉珍", "淑珍", "桂兰", "秀英", "玉兰", "淑兰", "凤英", "秀珍",
    "德福", "宝山", "振华", "国栋", "金生", "长林", "文忠", "世昌", "永年", "树森",
)  # fmt: skip
"""Given names heard among people in their eighties."""

RESPONDER_GIVEN = (
    "建国", "建华", "卫东", "志强", "国庆", "立新", "宝军", "永红", "海河", "学工",
    "丽华", "淑敏", "桂芝", "玉梅", "秀云", "红梅", "爱华", "金凤", "春兰", "美玲",
)  # fmt: skip
"""Given names heard among people in their sixties, who most volunteers are."""

ACCESS = (
    "",
    "",
    "单元门密码 2580#",
    "单元门密码 1379#",
    "备用钥匙在社区值班室",
    "备用钥匙在对门邻居家",
    "钥匙在门口信报箱，箱锁号 206",
    "单元门白天敞开，晚上请按门铃",
)
"""How to get into a home; empty: nothing is known."""

NOTES = (
    "",
    "",
    "独居",
    "独居，听力不好，请用力敲门",
    "行动不便，开门要等几分钟",
    "高血压，药在床头柜",
    "糖尿病，注意低血糖",
    "视力不好",
    "老两口同住，老伴卧床",
)
"""What a helper should know before entering."""

DEPARTMENTS = (
    ("CIVIL", "区民政部门"),
    ("HEALTH", "区卫生健康部门"),
    ("FIRE", "区消防救援部门"),
    ("URBAN", "区城市管理部门"),
    ("GAS", "燃气抢修"),
)
"""Departments that a street can whistle for: the last part of the id, and the name."""


def draw_name(rng: random.Random, given: Sequence[str]) -> str:
    """Put a common surname before one of the ``given`` names."""
    return rng.choice(SURNAMES) + rng.choice(given)


def phone(group: int, number: int) -> str:
    """Return a number that cannot ring: no number within Tianjin (022) begins with 0.

    Hyphens keep spreadsheets from taking it for a figure.

    Args:
        group: 0..9, one for each kind of owner, so that no number is given twice.
        number: The owner's own number, at most six digits.
    """
    digits = f"{number:06d}"
    return f"022-0{group}{digits[:2]}-{digits[2:]}"
