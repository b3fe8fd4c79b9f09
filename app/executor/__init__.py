"""How a document is understood before anybody answers it."""
