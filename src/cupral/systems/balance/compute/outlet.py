"""Where an element leaves the processes that follow it: as product, as loss, or out of sight.

A process follows an element if it balances it; a stock also if the content of all that enters
and leaves it is known. What a followed process hands to one that does not follow the element is
judged by all that can leave from there: products only, losses only, or nobody can tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cupral.ledger.flow import OUTSIDE
from cupral.ledger.registers import Network, Process, Stream


@dataclass(frozen=True, slots=True)
class Outlets:
    """Streams in which an element leaves what is followed."""

    element: str
    products: tuple[Stream, ...]
    losses: tuple[Stream, ...]
    needs: tuple[str, ...]
    """What must be known before a share can be told; empty if nothing is out of sight."""


@dataclass(frozen=True, slots=True)
class _Map:
    """Streams that may carry the element, and the processes that follow it."""

    element: str
    streams: tuple[Stream, ...]
    followed: frozenset[str]
    units: frozenset[str]


def outlets(
    network: Network, element: str, content: Mapping[str, float], products: frozenset[str]
) -> Outlets:
    """The outlets of one element.

    Parameters
    ----------
    content : mapping
        Known content of streams [t], by stream; NaN where it should be known and is not.
    products : frozenset of str
        Materials that count as recovered.
    """
    seen = _map(network, element, content)
    fates = {
        stream: _fate(seen, stream, products)
        for stream in seen.streams
        if stream.source in seen.followed and stream.target not in seen.followed
    }
    unknown = [stream for stream, fate in fates.items() if fate == "out of sight"]
    needs = [*_beyond(seen, unknown), *_before(seen)]
    if not seen.followed and seen.streams:
        needs.append(f"a process that balances {element}")
    return Outlets(
        element=element,
        products=tuple(stream for stream, fate in fates.items() if fate == "product"),
        losses=tuple(stream for stream, fate in fates.items() if fate == "loss"),
        needs=tuple(needs),
    )


def _map(network: Network, element: str, content: Mapping[str, float]) -> _Map:
    balanced = {process.id for process in network.processes if element in process.balances}

    def may_carry(stream: Stream) -> bool:
        """A balance takes a stream that does not name the element as free of it."""
        if stream.id in content:
            return content[stream.id] != 0.0
        return stream.carrier == "mass" and not {stream.source, stream.target} & balanced

    streams = tuple(filter(may_carry, network.streams))
    closed = {p.id for p in network.processes if _closed(p, streams, content)}
    # a dump or a last yard keeps what it gets: there the element has come to its end
    passing = {stream.source for stream in streams}
    units = {process.id for process in network.processes if process.kind == "unit"}
    return _Map(element, streams, frozenset((balanced | closed) & passing), frozenset(units))


def _closed(process: Process, streams: Iterable[Stream], content: Mapping[str, float]) -> bool:
    """Whether it is a stock of which every content that enters or leaves is known."""
    at = [stream.id for stream in streams if process.id in (stream.source, stream.target)]
    return process.kind == "stock" and bool(at) and all(stream in content for stream in at)


def _fate(seen: _Map, stream: Stream, products: frozenset[str]) -> str:
    """'product', 'loss', 'stays' (comes back to what is followed) or 'out of sight'."""
    exits, returns = ([stream], False) if stream.target == OUTSIDE else _ways(seen, stream.target)
    if returns:
        return "out of sight" if exits else "stays"
    sold = {one.material in products for one in exits or [stream]}
    if len(sold) > 1:
        return "out of sight"
    return "product" if sold.pop() else "loss"


def _ways(seen: _Map, process: str) -> tuple[list[Stream], bool]:
    """Streams by which what enters a process can leave the site, and whether any come back."""
    region = _reached(seen.streams, process, seen.followed)
    out = [stream for stream in seen.streams if stream.source in region]
    exits = [stream for stream in out if stream.target == OUTSIDE]
    return exits, any(stream.target in seen.followed for stream in out)


def _reached(streams: Sequence[Stream], process: str, barred: frozenset[str]) -> set[str]:
    """Processes downstream of one, itself among them, without those that are barred."""
    found, waiting = {process}, [process]
    while waiting:
        here = waiting.pop()
        further = {stream.target for stream in streams if stream.source == here}
        waiting += further - found - barred - {OUTSIDE}
        found |= further - barred - {OUTSIDE}
    return found


def _beyond(seen: _Map, unknown: Sequence[Stream]) -> list[str]:
    """Processes after what is followed, from which some of the element may leave unseen."""
    entering: dict[str, list[str]] = {}
    for stream in unknown:
        entering.setdefault(stream.target, []).append(stream.id)
    return [
        f"{seen.element} beyond {process}, which it enters in {', '.join(streams)} and may leave in"
        f" {', '.join(one.id for one in _ways(seen, process)[0])} (let {process} balance"
        f" {seen.element}, and give the compositions of what leaves)"
        for process, streams in entering.items()
    ]


def _before(seen: _Map) -> list[str]:
    """Units that pass the element on to what is followed, and lose some of it unseen."""
    fed = {stream.source for stream in seen.streams if stream.target in seen.followed}
    sources = fed - seen.followed - {OUTSIDE}
    upstream = {
        unit
        for unit in seen.units - seen.followed
        if _reached(seen.streams, unit, seen.followed) & sources and _ways(seen, unit)[0]
    }
    return [
        f"{seen.element} in {unit}, which passes it on and loses some unseen"
        f" (let {unit} balance {seen.element})"
        for unit in sorted(upstream)
    ]
