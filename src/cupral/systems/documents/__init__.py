"""Where does each document stand, whose turn is it, and until when?"""

from cupral.system import Manifest
from cupral.systems.documents.model import REQUEST

MANIFEST = Manifest(
    name="documents",
    title_zh="文书流转",
    title_en="documents",
    question_zh="每件文书走到哪一步，轮到谁办，何时到期？",
    question_en="Where does each document stand, whose turn is it, and until when?",
    asks=("find", "history", "inbox"),
    workflows=(REQUEST,),
)

__all__ = ["MANIFEST"]
