"""Forms: what a page's form sent, read once and only if it came from the present session."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.requests import Request

from cupral.ledger.errors import InputError
from cupral.surfaces.api.signed import acting_name, demand_form_word
from cupral.surfaces.web.rendering import WORD


@dataclass(frozen=True, slots=True)
class Form:
    """What a form sent: its texts, and its file if it has one."""

    author: str
    """In whose name it is sent."""
    texts: Mapping[str, str]
    filename: str = ""
    content: bytes = b""

    def text(self, name: str) -> str:
        """A text without blanks around it, empty if it was not sent."""
        return self.texts.get(name, "").strip()

    def file(self) -> tuple[str, bytes]:
        """Name and content of the file.

        Raises
        ------
        InputError
            If none was sent.
        """
        if not self.filename:
            raise InputError("no file was sent; choose one")
        return self.filename, self.content


async def sent_form(request: Request, *, signing_in: bool = False) -> Form:
    """Read a form; the file must be in the field `file`.

    Raises
    ------
    NoRight
        If it was not sent by a page of the present session, or in another's name.
    """
    async with request.form(max_files=1, max_fields=20_000) as form:
        texts = {name: value for name, value in form.items() if isinstance(value, str)}
        word = texts.pop(WORD, "")
        if signing_in:  # whoever signs in has no session yet, or gives up the one he has
            return Form("", texts)
        demand_form_word(request, word)
        author = acting_name(request, texts.get("author", "").strip(), "web")
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return Form(author, texts)
        return Form(author, texts, file.filename, await file.read())
