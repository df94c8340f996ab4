"""Which energy level is this line, and what share of capacity is above the benchmark?"""

from cupral.system import Manifest

MANIFEST = Manifest(
    name="efficiency",
    title_zh="能效水平",
    title_en="energy efficiency",
    question_zh="这条生产线属于哪一能耗限额等级？标杆水平以上产能占比是多少？",
    question_en="Which energy level is this line; what share of capacity is above the benchmark?",
    asks=("level", "energy_level", "share", "share_of"),
    clauses=("T8", "T05-M1", "T09-M1"),
    reads=("balance.consumption", "balance.months"),
)

__all__ = ["MANIFEST"]
