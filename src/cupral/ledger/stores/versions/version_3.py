"""Version 3: kept for accounts, which are built beside this; nothing changes yet."""

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Nothing to do."""


def downgrade() -> None:
    """Nothing to undo."""
