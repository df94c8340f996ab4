"""Access: who somebody is: accounts, passwords, sessions, tokens, sign-in by a provider."""
