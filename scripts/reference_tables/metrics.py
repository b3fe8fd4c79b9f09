"""Tables of the metrics: their families, and the labels of each."""

from collections.abc import Iterable, Mapping
from typing import get_args

from app.config import Settings
from app.db.failures import Failure
from app.db.postgresql.replicated import RESULTS
from app.db.waits import RESOURCES
from app.http.budget import LIMITS
from app.observability.metrics import FAMILIES
from app.observability.sign_in_log import Credential, Reason
from scripts.reference_tables.markdown import code, table

API = "`graphql`, `rest`, or `other` for every other path"
KIND = "`query`, `mutation`, or `none` where the request was refused before its operation was read"


def _values(names: Iterable[str]) -> str:
    return ", ".join(map(code, sorted(names)))


LABELS: Mapping[str, Mapping[str, str]] = {
    "ostiary_requests_total": {
        "api": API,
        "kind": KIND,
        "status": "`2xx` to `5xx`, or `none` where no response was sent",
    },
    "ostiary_request_duration_seconds": {"api": API, "kind": KIND, "le": "upper bound of the bucket in seconds"},
    "ostiary_errors_total": {"code": "a code of [errors](errors.md)"},
    "ostiary_limits_exceeded_total": {"limit": _values([*LIMITS, "variable_values", "unusual_numbers", "errors"])},
    "ostiary_sign_ins_refused_total": {
        "api": "`graphql` or `rest`",
        "credential": _values(Credential),
        "reason": _values(Reason),
    },
    "ostiary_database_failures_total": {"reason": _values(Failure)},
    "ostiary_database_waits_total": {"resource": _values(RESOURCES)},
    "ostiary_database_wait_seconds_total": {"resource": _values(RESOURCES)},
    "ostiary_database_size_bytes": {"file": "`database`, and `wal` on SQLite"},
    "ostiary_operations_total": {
        "executor": _values(get_args(Settings.model_fields["executor"].annotation)),
        "reason": "the reason why no plan ran; empty for `compiled`",
    },
    "ostiary_document_cache_requests_total": {
        "result": "`hit` for a document in the cache, `miss` for one that was parsed and validated"
    },
    "ostiary_replica_reads_total": {"result": _values(RESULTS)},
    "ostiary_replica_usable": {"replica": "host and port of an entry of DatabaseReplicas"},
    "ostiary_replica_lag_bytes": {"replica": "host and port of an entry of DatabaseReplicas"},
    "ostiary_database_connections": {"state": "`used` or `idle`"},
    "ostiary_traces_total": {
        "result": "`exported`; `refused` by the collector, or failed; `dropped` while too many waited"
    },
    "ostiary_workers": {"version": "the version of Ostiary"},
}
"""The labels of each family, with their values; `tests/rules/test_reference.py` compares them with /metrics."""


def families() -> str:
    """Return every metric with its type, its labels and its meaning."""
    rows = [
        [code(name), family.kind, ", ".join(map(code, LABELS.get(name, {}))), family.help]
        for name, family in FAMILIES.items()
    ]
    return table(["metric", "type", "labels", "meaning"], rows)


def labels() -> str:
    """Return the values of every label."""
    rows = [[code(name), code(label), values] for name, each in LABELS.items() for label, values in each.items()]
    return table(["metric", "label", "values"], rows)
