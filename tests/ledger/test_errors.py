"""Errors form one tree, and a fault says where, what and what to do."""

import inspect

from cupral.ledger import errors
from cupral.ledger.errors import CannotDecide, CupralError, Fault, InputError, RowFaults


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = [line for line in (errors.__doc__ or "").splitlines() if "──" in line]
    names = [line.split("── ")[1].split()[0] for line in drawn]
    real = [
        name for name, thing in vars(errors).items()
        if inspect.isclass(thing) and issubclass(thing, CupralError) and thing is not CupralError
    ]  # fmt: skip
    assert sorted(names) == sorted(real)
    assert issubclass(RowFaults, InputError)


def test_a_fault_is_a_sentence_with_a_cure() -> None:
    cell = Fault(7, "amount", "ten", "is no number", "Write 10.")
    assert str(cell) == "row 7, column amount ('ten'): is no number. Write 10."
    assert str(Fault(None, None, "", "has no rows", "Add one.")) == "file: has no rows. Add one."


def test_many_faults_are_counted_and_the_first_twenty_shown() -> None:
    faults = [Fault(n, None, "", "is empty", "Fill it.") for n in range(25)]
    text = str(RowFaults("a.csv", faults))
    assert text.startswith("a.csv: 25 faults, nothing posted\n  row 0: is empty")
    assert text.endswith("\n  and 5 more")
    assert len(text.splitlines()) == 22


def test_cannot_decide_names_what_it_needs() -> None:
    assert CannotDecide("x", needs=["a.b"]).needs == ("a.b",)
