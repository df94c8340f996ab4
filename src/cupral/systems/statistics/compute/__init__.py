"""Pure functions of statistics: growth arithmetic, spread of returns, reading of returns."""
