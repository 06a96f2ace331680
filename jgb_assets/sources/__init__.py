"""What the world publishes: one module a source with its URLs, its parser and its gates. No Dagster, no network."""
