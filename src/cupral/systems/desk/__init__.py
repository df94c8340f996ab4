"""desk: the parameters that every answer stands on: who entered them, from which source."""

from cupral.system import Manifest

MANIFEST = Manifest(
    name="desk",
    title_zh="参数台",
    title_en="Parameter desk",
    question_zh="每个参数取何值、出自何处、谁人确认？改动会影响哪些结果？",
    question_en="Which value has each parameter, from which source, confirmed by whom; what would"
    " a change change?",
    asks=("effects", "parameter", "parameters", "proposals", "scenario"),
)

__all__ = ["MANIFEST"]
