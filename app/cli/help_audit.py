"""Long help texts of the commands below `audit`."""

AUDIT = """\
The audit log: who changed what, and when. The database lets it only grow, and the
server seals it: each seal covers up to 1,000 events and the seal before, and is signed
with the secret. `verify` finds out whether an event was changed, removed or added.
"""

AUDIT_EPILOG = """\
examples:
  ostiary audit list --actor ann          the newest events by a user
  ostiary audit export audit.jsonl        the whole log, for an archive
  ostiary audit verify                    compare the log with its seals
  ostiary audit prune --before 2025-01-01 remove old events
  ostiary audit forget ann                erase a deleted user
"""

LIST = """\
Show the newest events: number, time in UTC, interface, actor, action and the changed
objects. --json prints every value before and after. The log contains no passwords,
tokens or keys. The server may keep running.
"""

LIST_EPILOG = """\
examples:
  ostiary audit list --limit 50
  ostiary audit list --since 2026-01-31T12:00Z --action deleteUser
  ostiary audit list --object VXNlcjox --json
                                          what happened to one object

exit codes:
  0 shown   1 the database cannot be used   2 wrong arguments or settings
"""

EXPORT = """\
Write events as JSON Lines, one event with all its changes a line, the oldest first. It
streams: the log may have any size, and the server may keep running. A file is
readable by its owner alone, and replaces an older one only when it is complete.
"""

EXPORT_EPILOG = """\
examples:
  ostiary audit export > audit.jsonl      everything
  ostiary audit export --until 2025-01-01 archive-2024.jsonl
                                          before `ostiary audit prune`

exit codes:
  0 written   1 the file cannot be written, or the database cannot be used
  2 wrong arguments or settings
"""

VERIFY = """\
Compare every event with its seal, and every seal with the one before and with its
signature. The first event that was changed, is missing or was added is named. Events
that `prune` and `forget` have changed are known and counted. The newest events are
sealed within an hour; until then they are counted only.

It prints a hash, the head. Keep it elsewhere: with --head a later run also finds out
whether seals were removed at the end or the whole chain was written again.
"""

VERIFY_EPILOG = """\
examples:
  ostiary audit verify
  ostiary audit verify --json             for monitoring
  ostiary audit verify --head "$HEAD"     the log must contain this seal

exit codes:
  0 the log is as it was sealed   1 it is not, or the database cannot be used
  2 wrong arguments or settings
"""

PRUNE = """\
Remove the events before a moment. Their seals stay, and a new event says how many
were removed, which, and their hash. Events that are not as they were sealed are never
removed: the command stops and names the first. The server may keep running. With
the setting AuditKeep the server removes old events itself.
"""

PRUNE_EPILOG = """\
examples:
  ostiary audit export --until 2025-01-01 archive-2024.jsonl
  ostiary audit prune --before 2025-01-01

exit codes:
  0 removed, or no event is so old
  1 the log differs from its seals, or the database cannot be used
  2 wrong arguments or settings
"""

FORGET = """\
Erase a user who was deleted from the log: user names become a pseudonym, and display
name, e-mail address, metadata and network addresses are removed, also from what
others did to the user. The events stay, their seals are signed again, and a new event
records it. Names that the user gave to orgs, groups and resources stay, as do texts
that others wrote. Older backups and exports still contain the data.
"""

FORGET_EPILOG = """\
examples:
  ostiary audit forget ann                by the last user name
  ostiary audit forget VXNlcjo0Mg         by id, if several users had the name

exit codes:
  0 erased   1 no such user, or they still have an account; or the log differs from
  its seals, or the database cannot be used   2 wrong arguments or settings
"""

COMMANDS = {
    "audit": (AUDIT, AUDIT_EPILOG),
    "audit list": (LIST, LIST_EPILOG),
    "audit export": (EXPORT, EXPORT_EPILOG),
    "audit verify": (VERIFY, VERIFY_EPILOG),
    "audit prune": (PRUNE, PRUNE_EPILOG),
    "audit forget": (FORGET, FORGET_EPILOG),
}
"""The text before and after the options of each command."""
