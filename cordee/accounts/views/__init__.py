"""The pages of accounts, spaces and people. Each calls one action or one query."""
