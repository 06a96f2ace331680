"""Pure numpy: numbers in, numbers out. No I/O, no Dagster, no source's vocabulary."""
