"""From a network and a month's readings to equations.

Variables are the flows; the mass fractions that were measured or specified with an
uncertainty (a fraction times a flow is a bilinear term); the contents of streams whose
assay is missing this month; stocks at both ends of the month, or their change where a prior
stands instead; and one more variable for each further meter on the same quantity, tied to it.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from cupral.ledger.registers import Network, Process, Stream
from cupral.systems.balance.model import Equation, Layout, Noun, Reading, Variable


def layout(network: Network, readings: Sequence[Reading]) -> Layout:
    """The equations of one month."""
    builder = _Builder(network, readings)
    for process in network.processes:
        for balance in process.balances:
            builder.balance(process, balance)
    for stream in network.streams:
        builder.flow(stream.id)
    return builder.finished()


class _Builder:
    def __init__(self, network: Network, readings: Sequence[Reading]) -> None:
        self.network = network
        self.waiting: dict[tuple[str, str, str], list[Reading]] = {}
        for reading in readings:
            kind = {"assay": Noun.FRACTION, "flow": Noun.FLOW}.get(reading.kind, reading.kind)
            key = (str(kind), reading.where, reading.element)
            self.waiting.setdefault(key, []).append(reading)
        self.variables: list[Variable] = []
        self.position: dict[tuple[str, str, str], int] = {}
        self.measured: list[float] = []
        self.sd: list[float] = []
        self.readings: dict[int, Reading] = {}
        self.equations: list[Equation] = []
        self.terms: list[tuple[int, int, float]] = []
        self.products: list[tuple[int, float, int, int]] = []
        self.assayed = {(m.stream, m.element) for m in network.meters if m.kind == "assay"}

    def balance(self, process: Process, balance: str) -> None:
        """One balance of one process: in - out - stored = 0."""
        carrier = "energy" if balance == "energy" else "mass"
        ends = [
            (stream, 1.0 if stream.target == process.id else -1.0)
            for stream in self.network.streams
            if process.id in (stream.source, stream.target) and stream.carrier == carrier
        ]
        row = len(self.equations)
        before = len(self.terms) + len(self.products)
        self.equations.append(Equation(process.id, balance))
        for stream, sign in ends:
            if balance in ("mass", "energy"):
                self.terms.append((row, self.flow(stream.id), sign))
            else:
                self.content(row, stream, balance, sign)
        if len(self.terms) + len(self.products) == before:
            self.equations.pop()
            return
        self.stored(row, process, balance)

    def flow(self, stream: str) -> int:
        """The variable of a stream's amount."""
        return self.variable(Noun.FLOW, stream)

    def content(self, row: int, stream: Stream, element: str, sign: float) -> None:
        """What a stream carries of an element, as a term of a row."""
        specified = {name: (value, sd) for name, value, sd in stream.composition}.get(element)
        assayed = (str(Noun.FRACTION), stream.id, element) in self.waiting
        if specified is not None and specified[1] == 0.0 and not assayed:
            if specified[0] != 0.0:
                self.terms.append((row, self.flow(stream.id), sign * specified[0]))
        elif specified is not None or assayed or self.known(stream.id, element):
            fraction = self.fraction(stream.id, element, specified)
            self.products.append((row, sign, self.flow(stream.id), fraction))
        elif (stream.id, element) in self.assayed:
            self.terms.append((row, self.variable(Noun.CONTENT, stream.id, element), sign))

    def known(self, stream: str, element: str) -> bool:
        """Whether a fraction variable exists already."""
        return (str(Noun.FRACTION), stream, element) in self.position

    def fraction(self, stream: str, element: str, specified: tuple[float, float] | None) -> int:
        """The variable of a mass fraction; a specification counts as one more measurement."""
        key = (str(Noun.FRACTION), stream, element)
        if key not in self.position and specified is not None and specified[1] > 0.0:
            self.waiting.setdefault(key, []).append(
                Reading(
                    meter=f"specification:{stream}:{element}", where=stream, kind="assay",
                    element=element, value=specified[0], sd=specified[1], unit="kg/kg",
                    group=f"{self.network.site}/specification:{stream}:{element}",
                    correlation=1.0, references=(),
                )
            )  # fmt: skip
        return self.variable(Noun.FRACTION, stream, element)

    def stored(self, row: int, process: Process, balance: str) -> None:
        """What a process took into stock in the month: weighed, or a prior, or unknown."""
        weighed = [
            (str(noun), process.id, "") in self.waiting or (str(noun), process.id, "") in
            self.position for noun in (Noun.OPENING, Noun.CLOSING)
        ]  # fmt: skip
        prior = dict(process.stock_prior).get(balance)
        if balance in ("mass", "energy") and all(weighed):
            self.terms.append((row, self.variable(Noun.OPENING, process.id), 1.0))
            self.terms.append((row, self.variable(Noun.CLOSING, process.id), -1.0))
        elif prior is not None:
            key = (str(Noun.CHANGE), process.id, balance)
            if key not in self.position:
                self.waiting[key] = [_prior(self.network.site, process.id, balance, prior)]
            self.terms.append((row, self.variable(Noun.CHANGE, process.id, balance), -1.0))
        elif process.kind == "stock":
            self.terms.append((row, self.variable(Noun.CHANGE, process.id, balance), -1.0))

    def variable(self, noun: Noun, where: str, element: str = "") -> int:
        """The variable of a quantity, made with its meters when first asked for."""
        key = (str(noun), where, element)
        if key in self.position:
            return self.position[key]
        readings = self.waiting.pop(key, [])
        position = self._add(Variable(noun, where, element), readings[0] if readings else None)
        self.position[key] = position
        for further in readings[1:]:
            tied = self._add(Variable(Noun.READING, where, element), further)
            row = len(self.equations)
            self.equations.append(Equation(where, "tie"))
            self.terms += [(row, tied, 1.0), (row, position, -1.0)]
        return position

    def _add(self, variable: Variable, reading: Reading | None) -> int:
        meter = reading.meter if reading else ""
        self.variables.append(Variable(variable.noun, variable.where, variable.element, meter))
        self.measured.append(reading.value if reading else np.nan)
        self.sd.append(reading.sd if reading else np.nan)
        if reading:
            self.readings[len(self.variables) - 1] = reading
        return len(self.variables) - 1

    def finished(self) -> Layout:
        """The arrays."""
        shape = (len(self.equations), len(self.variables))
        rows, columns, values = zip(*self.terms, strict=True) if self.terms else ((), (), ())
        entries = (np.array(values, dtype=float), (np.array(rows, int), np.array(columns, int)))
        product = list(zip(*self.products, strict=True)) if self.products else [(), (), (), ()]
        return Layout(
            network=self.network,
            variables=tuple(self.variables),
            equations=tuple(self.equations),
            linear=sparse.csr_array(entries, shape=shape),
            products=(
                np.array(product[0], dtype=np.int64),
                np.array(product[1], dtype=np.float64),
                np.array(product[2], dtype=np.int64),
                np.array(product[3], dtype=np.int64),
            ),
            measured=np.array(self.measured),
            sd=np.array(self.sd),
            readings=self.readings,
        )


def _prior(site: str, process: str, balance: str, sd: float) -> Reading:
    name = f"prior:{process}:{balance}"
    return Reading(
        meter=name, where=process, kind="change", element=balance, value=0.0, sd=sd, unit="",
        group=f"{site}/{name}", correlation=0.0, references=(),
    )  # fmt: skip
