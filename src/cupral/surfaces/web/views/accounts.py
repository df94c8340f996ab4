"""Accounts: one's own sessions, tokens and second factor; everybody's to who grants roles."""

from cupral.access import one_time_code, session, store, token
from cupral.access.account import GRANTED, STATES, Account
from cupral.ledger.explain import moment
from cupral.surfaces.web.asked import Asked, Page


def own_page(asked: Asked, account: Account, token: str = "") -> Page:
    """One's own account; the word of a token is shown this once."""
    ledger, now = asked.ledger, store.now()
    secret = "" if account.second_factor else one_time_code.new_secret()
    content = {
        "account": store.account(ledger, account.name), "word": token, "secret": secret,
        "app": one_time_code.address(secret, account.name) if secret else "",
        "sessions": [
            {"id": one.id, "began": moment(one.began_at), "seen": moment(one.seen_at),
             "address": one.address, "agent": one.agent}
            for one in session.of_account(ledger, account.name)
        ],
        "tokens": _tokens(asked, account.name, now),
    }  # fmt: skip
    return Page(template="own_account.html", title=account.name, content=content)


def _tokens(asked: Asked, name: str, now: int) -> list[dict[str, object]]:
    return [
        {"prefix": one.prefix, "title": one.title, "roles": sorted(one.roles),
         "expires": moment(one.expires_at), "ended": one.ended(now)}
        for one in token.of_account(asked.ledger, name)
    ]  # fmt: skip


def accounts_page(asked: Asked, name: str = "", given: str = "") -> Page:
    """All accounts; a one-time password is shown this once."""
    content = {
        "accounts": store.accounts(asked.ledger), "roles": GRANTED, "states": STATES,
        "enterprises": asked.ledger.enterprises(), "name": name, "given": given,
    }  # fmt: skip
    return Page(template="accounts.html", title=asked.language("nav.accounts"), content=content)
