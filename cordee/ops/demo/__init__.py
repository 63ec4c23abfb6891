"""The demo: a circle of eight, a meeting behind them, and a round half played for a visitor to walk into."""
