"""Signature: what a query or command asks for, read from the function itself.

The command line, the HTTP interface and the form on the page are all made from this one
description, so an argument has the same name, type, default and help everywhere.
"""

import inspect
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from cupral.ledger.errors import InputError

INJECTED = ("ledger", "author")
"""Arguments that a surface supplies itself."""
_TYPE = re.compile(
    r"(str|int|float|bool|bytes|dict|list|numbers?|Ledger)?(\[.*\]| of \w+)?(,? optional)?"
    r"( or \w+)*"
)
"""What stands behind the colon of a documented argument if it is only its type."""
REQUIRED = inspect.Parameter.empty
"""Default of an argument that must be given."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a query or command."""

    name: str
    annotation: Any
    default: Any
    help: str

    @property
    def required(self) -> bool:
        """Whether the caller must give it."""
        return self.default is REQUIRED

    @property
    def kind(self) -> str:
        """'bytes', 'bool', 'int', 'float', 'json' or 'text': how a person enters it."""
        names = {inner.__name__ for inner in _alternatives(self.annotation)}
        for name in ("bytes", "bool", "float", "int"):
            if name in names:
                return name
        return "json" if names & {"dict", "list", "Mapping", "Sequence", "tuple"} else "text"

    @property
    def shown_default(self) -> str:
        """The default as a person would write it."""
        if self.required or self.default is None:
            return ""
        if self.kind == "json":
            return json.dumps(self.default, ensure_ascii=False, default=str)
        return str(self.default)


@dataclass(frozen=True, slots=True)
class Signature:
    """A query's or command's name, help line, arguments and border model."""

    name: str
    headline: str
    description: str
    arguments: tuple[Argument, ...]
    model: type[BaseModel]

    @property
    def system(self) -> str:
        """The system it belongs to."""
        return self.name.partition(".")[0]

    @property
    def short(self) -> str:
        """Its name within the system."""
        return self.name.partition(".")[2]

    def validated(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of the right types, defaults left out.

        Raises
        ------
        InputError
            If an argument is unknown, missing or of the wrong type.
        """
        self._refuse_unknown(given)
        try:
            model = self.model.model_validate(dict(given))
        except ValidationError as error:
            raise InputError(_told(self, error)) from None
        return {name: getattr(model, name) for name in model.model_fields_set}

    def read(
        self, texts: Mapping[str, str], contents: Mapping[str, bytes] | None = None
    ) -> dict[str, Any]:
        """The same from texts, as a command line, a query string or a form gives them.

        Contents of files come beside the texts.
        """
        self._refuse_unknown(texts)
        named = {argument.name: argument for argument in self.arguments}
        filled = {n: t for n, t in texts.items() if t != "" or named[n].default == ""}
        values = {n: _from_text(named[n], text) for n, text in filled.items()}
        return self.validated({**values, **(contents or {})})

    def without(self, names: Collection[str]) -> "Signature":
        """The same without some arguments, for a surface that must not take them."""
        return replace(self, arguments=tuple(a for a in self.arguments if a.name not in names))

    def _refuse_unknown(self, given: Mapping[str, Any]) -> None:
        allowed = [argument.name for argument in self.arguments]
        unknown = sorted(set(given) - set(allowed))
        if unknown:
            raise InputError(
                f"{self.name} has no argument {', '.join(unknown)};"
                f" it takes {', '.join(allowed) or 'none'}"
            )


@lru_cache(maxsize=1024)
def signature(name: str, function: Callable[..., Any]) -> Signature:
    """Read the signature of a query or command.

    Examples
    --------
    >>> def gap(ledger, *, year: int = 2026, through: str = "") -> None:
    ...     '''How far is the target?
    ...
    ...     Parameters
    ...     ----------
    ...     year : int
    ...         Year of the plan.
    ...     '''
    >>> found = signature("plan.gap", gap)
    >>> found.headline, [(a.name, a.kind, a.default, a.help) for a in found.arguments][0]
    ('How far is the target?', ('year', 'int', 2026, 'Year of the plan.'))
    >>> found.read({"year": "2025"})
    {'year': 2025}
    """
    documented = inspect.getdoc(function) or ""
    hints, helps = get_type_hints(function), _helps(documented)
    arguments = tuple(
        Argument(p.name, hints.get(p.name, str), p.default, helps.get(p.name, ""))
        for p in inspect.signature(function).parameters.values()
        if p.name not in INJECTED and p.kind is not inspect.Parameter.VAR_KEYWORD
    )
    headline, _, rest = documented.partition("\n")
    return Signature(name, headline.strip(), rest.strip(), arguments, _model(name, arguments))


def _model(name: str, arguments: tuple[Argument, ...]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        a.name: (a.annotation, ... if a.required else a.default) for a in arguments
    }
    config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, protected_namespaces=(), allow_inf_nan=False
    )
    title = "".join(part.title() for part in re.split(r"[._]", name))
    model: type[BaseModel] = create_model(title, __config__=config, **fields)
    return model


def _helps(documented: str) -> dict[str, str]:
    """Help of each argument from the numpydoc section Parameters."""
    section = re.search(r"Parameters\n-+\n(.*?)(?:\n\n?\w[\w ]*\n-{3,}|\Z)", documented, re.S)
    helps: dict[str, str] = {}
    begun: set[str] = set()
    names: list[str] = []
    for line in section[1].splitlines() if section else ():
        if line and not line.startswith(" "):
            before, _, behind = line.partition(":")
            names = [name.strip() for name in before.split(",")]
            told = "" if _TYPE.fullmatch(behind.strip()) else behind.strip()
            helps.update(dict.fromkeys(names, told))
        elif line.strip():
            first = {name: helps[name] if name in begun else "" for name in names}
            helps.update({name: f"{text} {line.strip()}".strip() for name, text in first.items()})
            begun.update(names)
    return helps


def _alternatives(annotation: Any) -> tuple[type, ...]:
    if get_origin(annotation) in (Union, UnionType):
        inner = [_alternatives(option) for option in get_args(annotation)]
        return tuple(kind for kinds in inner for kind in kinds if kind is not NoneType)
    origin = get_origin(annotation) or annotation
    if isinstance(origin, type):
        return (origin,)
    return (str,)


def _from_text(argument: Argument, text: str) -> Any:
    if argument.kind == "bytes":
        return text.encode()
    names = {kind.__name__ for kind in _alternatives(argument.annotation)}
    structured = names & {"dict", "list", "Mapping", "Sequence", "tuple"}
    if not structured or ("str" in names and not text.startswith(("[", "{"))):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"argument {argument.name}: {text[:60]!r} is no JSON ({error.msg} at character"
            f' {error.pos}); write for example ["a", "b"] or {{"a": 1}}'
        ) from None


def _told(found: Signature, error: ValidationError) -> str:
    faults = []
    for fault in error.errors(include_url=False):
        where = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "missing":
            faults.append(f"argument {where} is missing")
        else:
            faults.append(f"argument {where}: {fault['msg']}, got {str(fault['input'])[:60]!r}")
    takes = ", ".join(f"{a.name} ({a.kind})" for a in found.arguments)
    return f"{found.name}: {', '.join(faults)}; it takes {takes}"
