"""Plans: queries and mutations without a resolver call per field."""
