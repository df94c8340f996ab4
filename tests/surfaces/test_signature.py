"""One description of a query serves command line, interface and form."""

from collections.abc import Mapping
from typing import Any, Literal

import pytest

from cupral.ledger.errors import InputError
from cupral.surfaces.signature import Signature, signature
from cupral.system import commands, queries


def example(
    ledger: Any,
    *,
    author: str,
    site: str,
    year: int = 2026,
    share: float = 0.5,
    strict: bool = False,
    wanted: list[str] | None = None,
    table: dict[str, Any] | None = None,
    either: str | list[str] = "",
    content: bytes = b"",
    basis: Literal["declared", "reconciled"] = "declared",
) -> None:
    """Answer an example.

    Parameters
    ----------
    ledger : Ledger
    site : str
        Where it is asked,
        in two lines.
    year, share : numbers
        Two of them.

    Returns
    -------
    None
        Nothing at all.
    """


@pytest.fixture
def found() -> Signature:
    """The signature of the example."""
    return signature("plan.example", example)


def argument(found: Signature, name: str) -> Any:
    """An argument by name."""
    return next(a for a in found.arguments if a.name == name)


def test_the_name_gives_system_and_word(found: Signature) -> None:
    assert (found.system, found.short) == ("plan", "example")


def test_ledger_and_author_are_no_arguments(found: Signature) -> None:
    names = [a.name for a in found.arguments]
    assert "ledger" not in names
    assert "author" not in names


def test_the_first_line_is_the_help_line(found: Signature) -> None:
    assert found.headline == "Answer an example."
    assert found.description.startswith("Parameters")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("site", "text"), ("year", "int"), ("share", "float"), ("strict", "bool"),
        ("wanted", "json"), ("table", "json"), ("content", "bytes"), ("basis", "text"),
    ],
)  # fmt: skip
def test_every_type_has_a_kind(found: Signature, name: str, kind: str) -> None:
    assert argument(found, name).kind == kind


def test_help_is_read_from_the_docstring(found: Signature) -> None:
    assert argument(found, "site").help == "Where it is asked, in two lines."
    assert argument(found, "year").help == "Two of them."
    assert argument(found, "share").help == "Two of them."
    assert argument(found, "strict").help == ""


def test_help_may_stand_behind_the_colon() -> None:
    def short(ledger: Any, *, norm: str, value: float, plain: str) -> None:
        """Answer.

        Parameters
        ----------
        norm : short name of the norm, e.g. 'x'
        value : consumption [kWh/t]
        plain : str
        """

    helps = {a.name: a.help for a in signature("plan.short", short).arguments}
    assert helps == {
        "norm": "short name of the norm, e.g. 'x'", "value": "consumption [kWh/t]", "plain": "",
    }  # fmt: skip


def test_files_come_beside_the_texts(found: Signature) -> None:
    assert found.read({"site": "a"}, {"content": b"x"}) == {"site": "a", "content": b"x"}


def test_a_surface_may_leave_arguments_out(found: Signature) -> None:
    narrow = found.without(["table"])
    with pytest.raises(InputError, match="no argument table"):
        narrow.read({"site": "a", "table": "{}"})


def test_only_what_has_no_default_is_required(found: Signature) -> None:
    assert [a.name for a in found.arguments if a.required] == ["site"]


def test_defaults_are_shown_as_a_person_writes_them(found: Signature) -> None:
    assert argument(found, "year").shown_default == "2026"
    assert argument(found, "wanted").shown_default == ""
    assert argument(found, "site").shown_default == ""


def test_texts_become_values(found: Signature) -> None:
    texts = {
        "site": "a", "year": "2025", "share": "0.25", "strict": "true", "wanted": '["x", "y"]',
        "table": '{"k": 1}', "basis": "reconciled",
    }  # fmt: skip
    assert found.read(texts) == {
        "site": "a", "year": 2025, "share": 0.25, "strict": True, "wanted": ["x", "y"],
        "table": {"k": 1}, "basis": "reconciled",
    }  # fmt: skip


def test_text_or_list_takes_both(found: Signature) -> None:
    assert found.read({"site": "a", "either": "one"})["either"] == "one"
    assert found.read({"site": "a", "either": '["one", "two"]'})["either"] == ["one", "two"]


def test_empty_text_means_the_default(found: Signature) -> None:
    assert found.read({"site": "a", "year": "", "wanted": ""}) == {"site": "a"}


def test_an_empty_text_stays_where_empty_is_the_default(found: Signature) -> None:
    assert found.read({"site": "a", "either": ""}) == {"site": "a", "either": ""}


def test_unknown_arguments_are_refused_with_those_that_there_are(found: Signature) -> None:
    with pytest.raises(InputError, match=r"no argument colour.*it takes site, year"):
        found.read({"site": "a", "colour": "red"})


def test_a_missing_argument_is_named(found: Signature) -> None:
    with pytest.raises(InputError, match="argument site is missing"):
        found.read({})


def test_a_wrong_type_is_named_with_what_was_given(found: Signature) -> None:
    with pytest.raises(InputError, match=r"argument year.*'soon'"):
        found.read({"site": "a", "year": "soon"})


def test_a_word_that_is_not_allowed_is_refused(found: Signature) -> None:
    with pytest.raises(InputError, match=r"argument basis.*'guessed'"):
        found.read({"site": "a", "basis": "guessed"})


def test_broken_json_says_where_and_how(found: Signature) -> None:
    with pytest.raises(InputError, match=r"argument wanted.*no JSON.*character 3.*for example"):
        found.read({"site": "a", "wanted": "[1,"})


def test_validated_takes_values_as_they_are(found: Signature) -> None:
    given: Mapping[str, Any] = {"site": "a", "table": {"k": [1, 2]}}
    assert found.validated(given) == given


def test_every_query_and_command_has_a_signature() -> None:
    every = {**queries(), **commands()}
    assert every
    for name, function in every.items():
        found = signature(name, function)
        assert found.headline.endswith((".", "?")), name
        assert found.model.model_json_schema()["title"], name


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400"])
def test_a_number_is_finite(number: str) -> None:
    def grown(ledger: object, *, percent: float = 0.0, deep: dict[str, float] = {}) -> None:  # noqa: B006
        """How much?"""

    found = signature("test.grown", grown)
    with pytest.raises(InputError, match=r"argument percent: .* finite number"):
        found.read({"percent": number})
    with pytest.raises(InputError, match="argument deep"):
        found.validated({"deep": {"a": float(number)}})
