"""Columns of a row that another row refers to: a subquery reads each of them, so that no statement is added."""

from dataclasses import replace
from functools import cache

from app.query.relations import FieldSpec, Table, Via


@cache
def reached_by(via: Via, name: str, spec: FieldSpec, table: Table) -> FieldSpec:
    """Return the field spec of a column that `via` reads. Equal arguments give the same object."""
    return replace(spec, sql=lambda viewer: via(spec.expression(name, table, viewer)), guard=None)
