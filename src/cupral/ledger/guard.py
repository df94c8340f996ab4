"""Guard: asks the rights of whoever uses a ledger before anything is read or written.

Rows belong to the enterprise of their site, documents to the enterprise that their party is or
owns. A question about everybody's rows is refused to who may only see some: an answer made of
fewer rows than asked for would be wrong without saying so.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from cupral.ledger.document import Document
from cupral.ledger.errors import InputError
from cupral.ledger.parameter import KIND
from cupral.ledger.reading import Reading
from cupral.ledger.registers import Enterprise, Network, Site
from cupral.ledger.rights import EVERYTHING, Rights
from cupral.ledger.stores import schema


@dataclass(frozen=True, slots=True)
class Guard:
    """The rights of one person over one ledger."""

    database: sa.Engine
    rights: Rights = EVERYTHING
    assumed: tuple[str, ...] = ()
    """Parameters that the ledger only assumes: then nothing is written."""

    def rows(self, action: str, table: str, sites: Iterable[str] | None) -> None:
        """Refuse rows of these sites (None = of all).

        Raises
        ------
        NoRight
            If the person may not treat them so.
        """
        if self.rights.over(action, table) == "all":
            return
        asked = None if sites is None else tuple(sites)
        self.rights.demand_over(action, table, None if asked is None else self._owners(asked))

    def post(self, tables: Mapping[str, pa.Table], documents: Iterable[Document] = ()) -> None:
        """Refuse rows and documents that the person may not post."""
        self.demand_real()
        for name, table in tables.items():
            self.rows("post", name, pc.unique(table["site"]).to_pylist())
        for document in documents:
            if document.kind == KIND:
                raise InputError(
                    f"{document.id} is a value of a parameter: propose it at the parameter desk,"
                    " where a second person confirms it"
                )
            parties = {document.party, self._party(document)}
            self.rows("post", f"document:{document.kind}", parties)

    def register(self, kind: str, id: str, noun: Enterprise | Site | Network) -> None:
        """Refuse a noun of others, or a site that is put into the hands of others."""
        self.demand_real()
        parties = {id, noun.enterprise} if isinstance(noun, Site) else {id}
        if isinstance(noun, Site) and self._owners((id,)) == {id}:
            parties = {noun.enterprise}  # nobody's yet
        self.rows("post", f"register:{kind}", parties)

    def shown(self, site: Site) -> Site:
        """A site as everybody may know it: of others not which streams its lines are."""
        if self.rights.over("read", "register:network") == "all" or (
            site.enterprise in self.rights.enterprises
        ):
            return site
        lines = (replace(line, metal_stream="", energy_streams=()) for line in site.lines)
        return replace(site, lines=tuple(lines))

    def demand_real(self) -> None:
        """Refuse to write what only holds in a scenario.

        Raises
        ------
        InputError
            If the ledger assumes parameters.
        """
        if self.assumed:
            raise InputError(
                f"this is a scenario that assumes {', '.join(self.assumed)}: it writes nothing;"
                " propose the value at the parameter desk, and let a second person confirm it"
            )

    def seen(
        self, found: list[Document], kind: str | None, *, party: str | None, id: str | None
    ) -> list[Document]:
        """The documents, if the person may see them; asked by id, of others there are none."""
        table = f"document:{kind or '*'}"
        if id is None:
            self.rows("read", table, None if party is None else [party])
            return found
        if self.rights.over("read", table) == "all":
            return found
        self.rows("read", table, ())
        return [document for document in found if self.of(document.party)]

    def readings(self, scopes: Iterable[Reading]) -> None:
        """Refuse a statement that stands on rows which the person may not see."""
        if self.rights is EVERYTHING:
            return
        for table, owner, *_ in scopes:
            self.rows("read", table, None if owner == "*" else (owner,))

    def of(self, party: str) -> bool:
        """Whether a party (an enterprise or a site) is the person's own."""
        return self._owners((party,)) <= self.rights.enterprises

    def _party(self, document: Document) -> str:
        """Whose the document has been; a new one is its party's."""
        table = schema.document.c
        query = (
            sa.select(table.party)
            .where(table.kind == document.kind, table.id == document.id)
            .order_by(table.version.desc())
            .limit(1)
        )
        with self.database.connect() as connection:
            return connection.scalar(query) or document.party

    def _owners(self, parties: tuple[str, ...]) -> set[str]:
        """The enterprise of each party; one that is not registered owns itself."""
        table, found = schema.register.c, {party: party for party in parties}
        query = (
            sa.select(table.id, table.body)
            .where(table.kind == "site", table.id.in_(sorted(found)))
            .order_by(table.version)
        )
        with self.database.connect() as connection:
            for row in connection.execute(query):
                found[row.id] = str(json.loads(row.body)["enterprise"])
        return set(found.values())
