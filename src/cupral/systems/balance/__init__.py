"""balance: what really flowed through a site, and which meter says otherwise."""

from cupral.system import Manifest

MANIFEST = Manifest(
    name="balance",
    title_zh="物料与能量平衡",
    title_en="Material and energy balance",
    question_zh="究竟流过了多少？哪块表可疑？",
    question_en="What really flowed, and which meter is suspect?",
    asks=(
        "accounts",
        "consumption",
        "doubts",
        "elements",
        "influence",
        "losses",
        "months",
        "next_meters",
        "problem",
        "propagation",
        "recoveries",
        "steady",
        "streams",
        "three_product",
        "two_product",
    ),
    clauses=("T2", "T3", "T5", "T6", "T09-M1", "T10-M1"),
)

__all__ = ["MANIFEST"]
