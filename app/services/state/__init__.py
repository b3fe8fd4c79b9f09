"""Declarative state: the registry as one document, the difference between both, and making the registry equal.

`model` has the kinds and turns nested objects into items. `files` reads and writes documents, `tables` the same as
CSV, and `folders` several of both. `registry` reads the database as the same objects, `planning` compares, `checks`
finds what is wrong with the result, `wording` says the difference in words, and `applying` makes it.
"""
