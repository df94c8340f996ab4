"""Entrance: the page to sign in, and the one to change a password."""

from collections.abc import Sequence

from cupral.surfaces.demonstration_logins import Login
from cupral.surfaces.problem import Problem
from cupral.surfaces.web.asked import Asked, Page


def sign_in_page(
    asked: Asked, onward: str, trouble: Problem | None, provider: str, logins: Sequence[Login]
) -> Page:
    """The form, the identity provider if there is one, the demonstration's logins."""
    content = {"next": onward, "problem": trouble, "provider": provider, "logins": logins}
    return Page(template="login.html", title=asked.language("login.title"), content=content,
                status=trouble.status if trouble else 200)  # fmt: skip


def password_page(asked: Asked, trouble: Problem | None) -> Page:
    """The form to change one's own password."""
    title, status = asked.language("login.change"), trouble.status if trouble else 200
    return Page(template="password.html", title=title, content={"problem": trouble}, status=status)
