"""The fictional demonstration province: made from a seed, with faults planted in its meters."""

from cupral.demonstration.build import build
from cupral.demonstration.province import SENTENCE_EN, SENTENCE_ZH
from cupral.demonstration.report import FaultReport, report
from cupral.demonstration.story import story

__all__ = ["SENTENCE_EN", "SENTENCE_ZH", "FaultReport", "build", "report", "story"]
