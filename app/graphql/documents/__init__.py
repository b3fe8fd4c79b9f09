"""Documents: limits, admission, parsing, validation and their cache."""
