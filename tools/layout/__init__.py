"""The inspector's rules: one validator per file, each `validate(tree) -> findings`."""
