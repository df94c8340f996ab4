"""What did the enterprises return, and how fast does the industry grow at comparable prices?"""

from cupral.system import Manifest

MANIFEST = Manifest(
    name="statistics",
    title_zh="统计",
    title_en="statistics",
    question_zh="企业月度报表、可比价增速、总产值与营业收入是多少？",
    question_en="Monthly enterprise returns; growth at comparable prices; output value; revenue?",
    asks=(
        "value_added_growth", "output", "gross_output_value", "revenue", "estimate",
        "growth_forward", "growth_inverse", "growth_needed", "growth_deflated", "growth_scope",
        "growth_average", "released",
    ),
    clauses=("T1", "T2", "T3", "T4", "T7"),
    reads=("balance.months",),
)  # fmt: skip

__all__ = ["MANIFEST"]
