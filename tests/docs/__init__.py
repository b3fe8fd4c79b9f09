"""The documentation keeps its word: commands run, answers compare, links lead somewhere."""
