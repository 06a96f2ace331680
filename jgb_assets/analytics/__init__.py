"""Mathematics: numbers in, numbers out. No files, no Dagster, no source's vocabulary."""
