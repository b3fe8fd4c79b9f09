#!/usr/bin/env python3
"""Bring people, orgs, groups, resources and grants from a folder into a registry, as a nightly job does.

    export TOKEN=ost_...
    nightly_sync.py --make-sample world --people 5000 --groups 200 --resources 2000
    nightly_sync.py world --url http://127.0.0.1:5000

The folder has one file for each kind, CSV with a line of names or a JSON list of objects. A missing file is skipped,
and an empty cell or null leaves the value as it is. Several values of a cell are separated by spaces.

    people       userName, email, roles, passwordHash
    orgs         slug, name, description
    groups       slug, displayName, description
    members      group (slug), userName, expiresAt
    resources    org (slug), slug, type, name, description, and metadata in JSON files
    grants       org, resource (slugs), group (slug) or userName, roles, expiresAt

What is missing is created and what differs is updated; nothing is removed. Each request writes up to a thousand
entries, all or none. So a run that was interrupted is taken up by starting it again, and a second run writes nothing.
The token needs USERS_MANAGE, ORGS_CREATE, ORGS_MANAGE, GROUPS_MANAGE and RESOURCES_MANAGE, for the kinds that exist.
The exit code is 0, or 1 if entries were rejected or the server could not be reached. Needs only Python.
"""

import argparse
import csv
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
Entry = dict[str, Any]

MAX_ENTRIES = 1_000
PROGRESS_ENTRIES = 1_000
MAX_BYTES = 800_000
"""Bytes of the entries of one request, below the limit of the server for a body."""
TRIES = 6
TIMEOUT = 700
"""Seconds to wait for one response: a server may hash a thousand passwords."""
RETRIED_STATUS = {429, 502, 503, 504}
MAX_PROBLEMS = 20


class SyncError(Exception):
    """The synchronization cannot go on."""


@dataclass(frozen=True)
class Kind:
    """One file: its mutation, the list in the input, and how a row becomes an entry.

    Rows with different values of `parent` go into different requests, with that object in the input.
    """

    name: str
    mutation: str
    field: str
    entry: Callable[[Row], Entry]
    parent: str = ""


def _given(row: Row, *names: str) -> Entry:
    """Return the values of a row that are given."""
    return {name: row[name] for name in names if row.get(name) not in (None, "")}


def _words(row: Row, name: str) -> Entry:
    """Return a list of words, which is text in CSV files."""
    value = row.get(name)
    return {} if value in (None, "") else {name: value.split() if isinstance(value, str) else list(value)}


def _grant(row: Row) -> Entry:
    by_group = row.get("group") not in (None, "")
    subject = {"group": {"slug": row["group"]}} if by_group else {"user": {"userName": row["userName"]}}
    resource = {"path": {"orgSlug": row["org"], "slug": row["resource"]}}
    return {"resource": resource, "subject": subject, "roles": []} | _words(row, "roles") | _given(row, "expiresAt")


KINDS = (
    Kind(
        "people",
        "createUsers",
        "users",
        lambda row: _given(row, "userName", "email", "passwordHash") | _words(row, "roles"),
    ),
    Kind("orgs", "createOrgs", "orgs", lambda row: _given(row, "slug", "name", "description")),
    Kind("groups", "createGroups", "groups", lambda row: _given(row, "slug", "displayName", "description")),
    Kind(
        "members",
        "addGroupMembers",
        "members",
        lambda row: {"user": {"userName": row["userName"]}} | _given(row, "expiresAt"),
        parent="group",
    ),
    Kind(
        "resources",
        "createResources",
        "resources",
        lambda row: {"org": {"slug": row["org"]}} | _given(row, "slug", "type", "name", "description", "metadata"),
    ),
    Kind("grants", "grantAccessBatch", "grants", _grant),
)


@dataclass
class Registry:
    """A client of the GraphQL API, which tries again when the server is busy or does not answer."""

    url: str
    token: str

    def send(self, kind: Kind, entries: Sequence[Entry], parent: str) -> Mapping[str, Any]:
        """Send one bulk mutation and return its payload. To send it again is safe: what is done is unchanged then."""
        type_name = f"{kind.mutation[0].upper()}{kind.mutation[1:]}Input"
        text = (
            f"mutation ($input: {type_name}!) {{ {kind.mutation}(input: $input) "
            "{ results { index status errors { code message path } } errors { code message path } } }"
        )
        of_parent = {kind.parent: {"slug": parent}} if kind.parent else {}
        variables = {"input": {**of_parent, kind.field: entries, "onConflict": "UPDATE"}}
        reply = self._post({"query": text, "variables": variables})
        if reply.get("errors"):
            raise SyncError(f"{kind.name}: {reply['errors'][0]['message']}")
        payload: Mapping[str, Any] = reply["data"][kind.mutation]
        return payload

    def _post(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        reason = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(2 ** (attempt - 1))
            request = urllib.request.Request(f"{self.url}/graphql", json.dumps(body).encode(), self._headers())  # noqa: S310 - the address is an argument
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 - the same address
                    reply: Mapping[str, Any] = json.load(response)
                    return reply
            except urllib.error.HTTPError as error:
                reason = _message(error)
                if error.code not in RETRIED_STATUS:
                    raise SyncError(reason) from None
            except (OSError, ValueError) as error:
                reason = f"{self.url} does not answer: {error}"
        raise SyncError(reason)

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["errors"][0]["message"])
    except (KeyError, IndexError, TypeError, ValueError):
        return f"HTTP status {error.code}"


@dataclass
class Report:
    """What was done with the entries of each kind, and the rejected entries."""

    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, kind: Kind, entries: Sequence[Entry], payload: Mapping[str, Any]) -> None:
        """Add the results of one request."""
        counter = self.statuses.setdefault(kind.name, Counter())
        counter.update(result["status"] or "rejected" for result in payload["results"])
        problems = [(result["index"], error) for result in payload["results"] for error in result["errors"]]
        for at, error in problems:
            self.problems.append(f"{kind.name}: {json.dumps(_shown(entries[at]))}: {error['message']}")
        if payload["errors"] and not problems:
            self.problems.append(f"{kind.name}: {payload['errors'][0]['message']}")

    def print(self) -> None:
        """Print a line for each kind, and the first rejected entries."""
        columns = ("CREATED", "UPDATED", "UNCHANGED", "rejected")
        print("".join(f"{column.lower():>11}" for column in ("", *columns)))
        for name, counter in self.statuses.items():
            print(f"{name:>11}" + "".join(f"{counter[column]:>11,}" for column in columns))
        for problem in self.problems[:MAX_PROBLEMS]:
            print(problem)
        if len(self.problems) > MAX_PROBLEMS:
            print(f"and {len(self.problems) - MAX_PROBLEMS:,} more")


def _shown(entry: Entry) -> Entry:
    """Return an entry without secrets."""
    return {name: value for name, value in entry.items() if name != "passwordHash"}


def read_rows(folder: Path, name: str) -> list[Row]:
    """Return the rows of a kind, from its JSON or CSV file; none if there is no file."""
    if (path := folder / f"{name}.json").exists():
        rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))
        return rows
    if (path := folder / f"{name}.csv").exists():
        with path.open(newline="", encoding="utf-8-sig") as lines:
            return list(csv.DictReader(lines))
    return []


def batches(kind: Kind, rows: Sequence[Row], maximum: int) -> Iterator[tuple[str, list[Entry]]]:
    """Yield the entries of each request, with their parent."""
    by_parent: dict[str, list[Entry]] = {}
    for at, row in enumerate(rows):
        try:
            by_parent.setdefault(row[kind.parent] if kind.parent else "", []).append(kind.entry(row))
        except (KeyError, AttributeError, TypeError) as error:
            raise SyncError(f"{kind.name}, entry {at + 1}: {error!r}") from None
    for parent, entries in by_parent.items():
        batch: list[Entry] = []
        size = 0
        for entry in entries:
            length = len(json.dumps(entry))
            if batch and (len(batch) == maximum or size + length > MAX_BYTES):
                yield parent, batch
                batch, size = [], 0
            batch.append(entry)
            size += length
        yield parent, batch


def synchronize(folder: Path, registry: Registry, maximum: int = MAX_ENTRIES) -> Report:
    """Send all files of a folder, and show the progress on stderr."""
    report = Report()
    if not any(read_rows(folder, kind.name) for kind in KINDS):
        raise SyncError(f"{folder} has none of the files: {', '.join(kind.name for kind in KINDS)} (.csv or .json)")
    for kind in KINDS:
        rows, done = read_rows(folder, kind.name), 0
        for parent, entries in batches(kind, rows, maximum):
            report.add(kind, entries, registry.send(kind, entries, parent))
            before, done = done, done + len(entries)
            _show_progress(kind.name, before, done, len(rows))
    return report


def _show_progress(name: str, before: int, done: int, number: int) -> None:
    """Overwrite one line on a terminal; elsewhere write one for each 1,000 entries, or for each percent if more."""
    step = max(PROGRESS_ENTRIES, number // 100)
    line = f"{name:>11} {done:,}/{number:,}"
    if sys.stderr.isatty():
        print(f"\r{line}", end="\n" if done == number else "", file=sys.stderr, flush=True)
    elif done == number or done // step != before // step:
        print(line, file=sys.stderr, flush=True)


def make_sample(folder: Path, people: int, groups: int, resources: int) -> None:
    """Write the files of a made-up world, always the same one: groups of 50, and four grants on each resource."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(1)
    names = [f"person{number:05}" for number in range(people)]
    slugs = [f"team-{number:04}" for number in range(groups)]
    orgs = [f"institute-{number:02}" for number in range(min(20, resources))]
    paths = [(orgs[number % len(orgs)], f"dataset-{number:05}") for number in range(resources)]
    _write(folder, "people", ({"userName": name, "email": f"{name}@example.org"} for name in names))
    _write(folder, "orgs", ({"slug": slug, "name": slug.replace("-", " ").title()} for slug in orgs))
    _write(folder, "groups", ({"slug": slug, "displayName": slug.replace("-", " ").title()} for slug in slugs))
    joined = ((slug, name) for slug in slugs for name in sorted(chance.sample(names, min(50, people))))
    _write(folder, "members", ({"group": slug, "userName": name} for slug, name in joined))
    rows = ({"org": org, "slug": slug, "type": "DATASET", "name": slug.title()} for org, slug in paths)
    _write(folder, "resources", rows)
    _write(folder, "grants", _sample_grants(chance, paths, slugs, names))
    print(f"{folder}: {people:,} people, {groups:,} groups, {resources:,} resources")


def _sample_grants(
    chance: random.Random, paths: Sequence[tuple[str, str]], groups: Sequence[str], names: Sequence[str]
) -> Iterator[Row]:
    for org, slug in paths:
        for subject, choices in (("group", groups), ("userName", names)):
            for number, chosen in enumerate(chance.sample(choices, min(2, len(choices)))):
                roles = "METADATA_READ DATASET_DATA_READ" if number else "METADATA_WRITE"
                row = {"org": org, "resource": slug, "group": "", "userName": "", "roles": roles}
                yield row | {subject: chosen}


def _write(folder: Path, name: str, rows: Iterator[Row]) -> None:
    listed = list(rows)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, list(listed[0]) if listed else [])
        writer.writeheader()
        writer.writerows(listed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="the folder to synchronize")
    parser.add_argument("--url", default="http://127.0.0.1:5000", help="address of the server (%(default)s)")
    parser.add_argument("--batch", type=int, default=MAX_ENTRIES, help="entries of one request (%(default)s)")
    parser.add_argument("--make-sample", type=Path, metavar="FOLDER", help="write a made-up world and stop")
    parser.add_argument("--people", type=int, default=5_000, help="people of the made-up world (%(default)s)")
    parser.add_argument("--groups", type=int, default=200, help="groups of the made-up world (%(default)s)")
    parser.add_argument("--resources", type=int, default=2_000, help="resources of the made-up world (%(default)s)")
    options = parser.parse_args(arguments)
    if min(options.people, options.groups, options.resources) < 1 or not 1 <= options.batch <= MAX_ENTRIES:
        parser.error(f"numbers begin at 1, and --batch ends at {MAX_ENTRIES:,}")
    if options.make_sample is not None:
        make_sample(options.make_sample, options.people, options.groups, options.resources)
        return 0
    token = os.environ.get("TOKEN")
    if options.folder is None or not token:
        parser.error("name a folder, and put a token into TOKEN")
    try:
        report = synchronize(options.folder, Registry(options.url.rstrip("/"), token), options.batch)
    except SyncError as error:
        print(f"stopped: {error}", file=sys.stderr)
        return 1
    report.print()
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
