"""Where do we stand against a plan's targets and clauses, and who holds the gap?"""

from cupral.system import Manifest

MANIFEST = Manifest(
    name="plan",
    title_zh="目标与督办",
    title_en="targets and supervision",
    question_zh="各项目标完成得怎样，缺口在谁手里，各举措进展如何？",
    question_en="Where do we stand against targets and clauses, and who holds the gap?",
    asks=("brief", "clauses", "coverage", "published", "published_status", "status", "target"),
    clauses=("T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"),
    reads=(
        "balance.consumption",
        "balance.months",
        "balance.recoveries",
        "efficiency.share",
        "statistics.estimate",
        "statistics.gross_output_value",
        "statistics.output",
        "statistics.revenue",
        "statistics.value_added_growth",
    ),
)

__all__ = ["MANIFEST"]
