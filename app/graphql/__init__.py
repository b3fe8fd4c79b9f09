"""One GraphQL request, from its text to its answer."""
