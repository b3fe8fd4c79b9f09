"""Long help texts of the command line."""

from app.cli import help_audit, help_completion, help_import, help_users

DESCRIPTION = """\
Ostiary manages the users, roles and grants of a data registry, decides who may
do what, and serves it over GraphQL and REST. To start it, run: ostiary serve
"""

EPILOG = """\
examples:
  ostiary serve                           on 127.0.0.1:5000, data in data/ostiary.db
  ostiary serve --port 8080 --workers 4   several workers: one for each core
  ostiary serve --demo                    with a sample registry in an empty database
  OSTIARY_DATABASE_URL=postgresql://user:password@host/database ostiary serve
  ostiary settings                        every setting, its source and its meaning
  ostiary backup                          a backup, while the server runs
  ostiary doctor                          check the installation
  ostiary keys rotate                     create a new signing key
  ostiary admin reset-password admin      set a new password
  ostiary user list                       users, their roles and last sign-ins
  ostiary sessions end                    after the restore of a backup
  ostiary audit list                      who changed what
  ostiary export registry.yaml            the registry as one document
  ostiary plan registry.yaml              what `ostiary apply` would change
  ostiary import dronedb FOLDER --dry-run what would come from DroneDB Registry
  ostiary copy SOURCE TARGET              from SQLite to PostgreSQL, or back
  ostiary schema > schema.graphql         the GraphQL schema

settings:
  They come from appsettings.json in the working directory, or from the file that
  --settings or OSTIARY_SETTINGS_FILE names, with keys such as DefaultAdmin.
  Environment variables take precedence over the file, with __ between a section and
  its key: OSTIARY_DEFAULT_ADMIN__PASSWORD. Relative paths start at the working
  directory.

exit codes:
  0 done, or stopped with Ctrl-C or SIGTERM
  1 refused, or the database, the port or a file cannot be used
  2 wrong arguments or settings
  The help of a command lists its own codes.
"""


SERVE = """\
Bring the database up to date, then serve the API until Ctrl-C or SIGTERM. The
first start creates the database and the first administrator. While the administrator
has the default password, the server listens on loopback addresses only.

With --no-migrate the server never changes the schema, so its PostgreSQL role needs no
right to. It refuses to start until `ostiary migrate` has run with another role.
"""

SERVE_EPILOG = """\
examples:
  ostiary serve                           on 127.0.0.1:5000
  ostiary serve --host 0.0.0.0 --workers 4 --settings /etc/ostiary.json

exit codes:
  0 stopped with Ctrl-C or SIGTERM
  1 the database or the port cannot be used   2 wrong arguments or settings
"""

MIGRATE = """\
Bring the schema of the database up to date, print each migration, and exit. A new
database is created. Its first administrator is too, if DefaultAdmin has a password of
its own. `serve` does the same; run this first where several servers share a database.
"""

MIGRATE_EPILOG = """\
example:
  OSTIARY_DATABASE_URL=postgresql://user:password@host/database ostiary migrate

exit codes:
  0 up to date   1 the database cannot be used, or a newer version has migrated it
  2 wrong arguments or settings
"""

SCHEMA = """\
Print the GraphQL schema, with all descriptions, in the schema definition language.
It needs no database and no settings.
"""

SCHEMA_EPILOG = """\
example:
  ostiary schema > schema.graphql         for code generation in clients
"""

SETTINGS = """\
Print every setting with its value, its source (default, file or environment), its
environment variable and its meaning. Secrets are not shown.
"""

SETTINGS_EPILOG = """\
examples:
  ostiary settings --settings /etc/ostiary.json
  ostiary settings --json                 for scripts

exit codes:
  0 the settings are valid   2 they are not; standard error names every problem
"""

DEMO = """\
Fill an empty database with a sample registry and exit: orgs from marine science to a
sound archive, their users at every level, groups, and about three hundred
resources with grants, expiry dates, locks and two years of history.

The database must be unused: at most the first administrator, no orgs, no groups.
Any other database is left unchanged. The data is the same each time; dates that
expire soon expire some days after the command. All demo users share one public
password, so a server with demo users refuses to listen on other addresses than
loopback. To start again, use an empty database.
"""

DEMO_EPILOG = """\
examples:
  ostiary demo && ostiary serve           the same as ostiary serve --demo
  OSTIARY_DATABASE_URL=sqlite:///data/try.db ostiary serve --demo
                                          in a separate database
"""

REINDEX_EPILOG = """\
example:
  ostiary reindex                         prints how many rows were wrong
"""

REINDEX = """\
Rebuild the access index from the resources and their access configurations, in
one transaction, and report whether it was correct. It should always be: every
change updates it. Reads continue during the rebuild; changes wait until it ends.
"""

KEYS = """\
The keys that sign tokens with TokenAlgorithm EdDSA. They are stored in the
database, encrypted with Secret, so that the workers of all hosts share them; their
public parts are at /.well-known/jwks.json. The first start creates the first key.
"""

LIST_KEYS = """\
Print a line for each key that signs or verifies: its id, its use, when it was created,
and whether it signs, or until when it verifies. The key of tickets is derived from the
secret, so it has no age and is not rotated. The private parts are not shown.
"""

KEYS_EPILOG = """\
examples:
  ostiary keys list                       every key and its state
  ostiary keys rotate                     regularly: all users stay signed in
  ostiary keys rotate --revoke            when a key may have leaked
"""

ROTATE = """\
Create a new signing key. Running servers load it within 30 seconds. The previous
key verifies its tokens until the last of them expires (TokenExpirationInDays), and
is deleted then. With --revoke, all previous keys are deleted at once, and every
user with one of their tokens must sign in again.
"""

SESSIONS = """\
End every session and every ticket: all users must sign in again. Run this after the
restore of a backup, while the server is stopped or before users can reach it: a token
that was ended after the backup would be valid again. API tokens that were revoked
after the backup are valid again too; --api-tokens deletes all of them.
"""

SESSIONS_EPILOG = """\
examples:
  ostiary sessions end                    prints how many users and tickets it ended
  ostiary sessions end --api-tokens       also deletes every API token
"""

ADMIN = """\
Set a new password for a user on the server's machine, without the old one. All
sessions of the user end. The server may keep running. The audit log records it.
"""

ADMIN_EPILOG = """\
examples:
  ostiary admin reset-password admin      generates a password and prints it once
  ostiary admin reset-password ann --stdin < file
                                          reads the first line of a file

exit codes:
  0 the password is set   1 no such user, or the database cannot be used
  2 wrong arguments or settings, or the identity provider manages the passwords
"""

EXPORT = """\
Write roles, users, orgs, groups, resources, grants and locks as one document, which
`ostiary plan` and `ostiary apply` read. Users are without secrets; --password-hashes
adds the hashes of their passwords. Ended memberships and grants are left out. The
server may keep running: the document is the registry at one moment, and the same
registry is always the same bytes. A file is readable by its owner alone.

Into a folder, each section is a file of its own. A CSV file is one table for
spreadsheets: users, orgs, orgMembers, groups or groupMembers; a folder has all five.
"""

EXPORT_EPILOG = """\
examples:
  ostiary export > registry.yaml          YAML, for people
  ostiary export registry.jsonl           JSON Lines: one object a line
  ostiary export registry/                a folder, with users.yaml, orgs.yaml, …
  ostiary export users.csv                a table, by the name of the file
  ostiary export tables/ --format csv     all tables
  ostiary export --password-hashes whole.yaml
                                          users keep their passwords in the new registry

exit codes:
  0 written   1 the files cannot be written, or the database cannot be used
  2 wrong arguments or settings
"""

PLAN = """\
Compare a document with the registry and show the difference: what is added (+),
changed (~) and removed (-), and who gains and who loses access. Nothing is changed.
Without --prune nothing is ever removed: what only the registry has is counted and
left alone. A fault of the document is named with its line and its path.

A folder is one document: its files are read in the order of their names, in all
forms, and no object may be in two of them. Hidden files are not read; files with
other endings and folders inside are named and not read. A CSV file is a table, and
its name says of what: users.csv, orgs.csv, orgMembers.csv, groups.csv or
groupMembers.csv, also with a prefix such as 2026-users.csv.
"""

PLAN_EPILOG = """\
examples:
  ostiary plan registry.yaml              what `ostiary apply` would do
  ostiary plan registry/                  the files of a folder together
  ostiary plan users.csv                  a table from a spreadsheet
  ostiary plan registry.yaml --prune      also remove what the document does not list
  ostiary plan registry.yaml --exit-code  for scripts: 0 without changes, 3 with changes
  ostiary plan registry.yaml --json       for programs

exit codes:
  0 no changes, or changes without --exit-code   3 changes, with --exit-code
  1 the document is invalid, or the database cannot be used
  2 wrong arguments or settings
"""

APPLY = """\
Make the registry equal to a document, a folder or a table, which `ostiary plan --help`
describes. More than 2,000 changes are made in several transactions, in a fixed order;
after an interruption, the same command makes the rest. Without --prune nothing is
removed. What a document does not say stays as it is. The audit log has an event
`applyState` for each transaction, and none if nothing differs. The server may keep
running.
"""

APPLY_EPILOG = """\
examples:
  ostiary plan registry.yaml && ostiary apply registry.yaml
  ostiary apply --prune registry.yaml     also remove what the document does not list
  ssh old ostiary export | ostiary apply -    an export from a pipe, whole or refused
  ostiary apply --table users - < staff   a table without a name

exit codes:
  0 the registry is as the document says
  1 the document is invalid and nothing was changed, or the database cannot be used
  2 wrong arguments or settings
"""

BACKUP = """\
Write a backup of the database and its secret into FOLDER, or into the one of the
setting BackupFolder. The servers may keep running: the backup is the state of one
moment. It is checked before it gets its name, which contains the time in UTC, and
only the user of this command can read it. It contains password hashes and, with
the secret, everything needed to sign tokens: keep it as private as the database.

SQLite is copied whole. PostgreSQL is dumped with pg_dump in the custom format, so
pg_dump and pg_restore must be on the PATH, in the version of the server or later.
With the setting BackupEvery the server makes backups itself, and keeps BackupKeep.
"""

BACKUP_EPILOG = """\
examples:
  ostiary backup                          into the folder of the setting BackupFolder
  ostiary backup /mnt/backups --json      prints the names as JSON, for scripts

exit codes:
  0 the backup is complete   1 there is none; nothing half-written stays
  2 wrong arguments or settings
"""

RESTORE = """\
Put a backup that `ostiary backup` has made in place of the database and its secret.
Stop all servers first. The data are checked and migrated if they are older, all
sessions and tickets end, and the access index is checked. Until then no server uses
them. --replace keeps an existing database under another name (SQLite) or in another
schema (PostgreSQL). If the restore is killed, run the same command again: on
PostgreSQL, everything else refuses the database until then.

API tokens that were revoked after the backup are valid again; --api-tokens deletes
all of them. Keys that the secret cannot decrypt are named.
"""

RESTORE_EPILOG = """\
examples:
  ostiary restore data/backups/ostiary-20261128T084803Z.db --replace
  OSTIARY_DATABASE_URL=sqlite:///try/ostiary.db ostiary restore backup.db
                                          as another database, to look at it

exit codes:
  0 restored   1 or 130 not restored; the database is as it was
  2 wrong arguments or settings
"""

COPY = """\
Copy all tables of SOURCE into the empty database TARGET: from SQLite to PostgreSQL,
back, or within one kind. SOURCE and TARGET are URLs as in the setting DatabaseUrl.
Ids, names, passwords, tokens and the audit log stay the same. At the end every row is
compared, and the first that differs is named with its table and key.

Stop the servers first. SOURCE is read in one snapshot, so servers that run are not
disturbed, but what they change after the start is not in TARGET.

A copy that was interrupted goes on when the same command runs again. Until it is
complete, TARGET says so, and `ostiary serve` refuses it. A TARGET that is neither empty
nor an unfinished copy of SOURCE is refused and left as it is.

Sessions and signing keys need the secret. The setting Secret stays valid. A secret in
a file is copied too, to where a server of TARGET reads it: beside the SQLite file, or
data/ostiary.secret for PostgreSQL.
"""

COPY_EPILOG = """\
examples:
  ostiary copy sqlite:///data/ostiary.db postgresql://ostiary@db.example.org/ostiary
                                          with the password in the variable PGPASSWORD
  ostiary copy postgresql://ostiary@db.example.org/ostiary sqlite:///data/copy.db --json

exit codes:
  0 complete and compared   1 not complete; run it again, or read what to do
  2 wrong arguments or settings
"""

DOCTOR = """\
Check the installation and print a line for each check: ok, warning or problem, and
what to do. It reads the settings, the secret, the disk, the schema, the integrity of
the database, the access index, clocks, connections, backups and passwords. It
changes nothing, and the servers may keep running. On a large SQLite database the
check of its integrity reads all of it and takes minutes.
"""

DOCTOR_EPILOG = """\
examples:
  ostiary doctor                          every check, for people
  ostiary doctor --json --workers 8       for monitoring; 8 workers are planned

exit codes:
  0 no problem; there may be warnings   1 at least one problem
  2 wrong arguments or settings
"""

EXPLAIN = """\
Print for each role on a resource whether a user holds it, and why or why not: the
grants, memberships, ownership and permissions that give it, with their ends, or
those that have ended or do not include it.
"""

EXPLAIN_EPILOG = """\
examples:
  ostiary explain ann lab/soundings       by the user's name and ORG/SLUG
  ostiary explain ann lab/soundings --json
                                          as one JSON object

exit codes:
  0 explained   1 no such user or resource, or the database cannot be used
  2 wrong arguments or settings
"""

COMMANDS = {
    "serve": (SERVE, SERVE_EPILOG),
    "demo": (DEMO, DEMO_EPILOG),
    "migrate": (MIGRATE, MIGRATE_EPILOG),
    "reindex": (REINDEX, REINDEX_EPILOG),
    "backup": (BACKUP, BACKUP_EPILOG),
    "restore": (RESTORE, RESTORE_EPILOG),
    "copy": (COPY, COPY_EPILOG),
    "explain": (EXPLAIN, EXPLAIN_EPILOG),
    "doctor": (DOCTOR, DOCTOR_EPILOG),
    "keys": (KEYS, KEYS_EPILOG),
    "keys list": (LIST_KEYS, KEYS_EPILOG),
    "keys rotate": (ROTATE, KEYS_EPILOG),
    "sessions": (SESSIONS, SESSIONS_EPILOG),
    "sessions end": (SESSIONS, SESSIONS_EPILOG),
    "admin": (ADMIN, ADMIN_EPILOG),
    "admin reset-password": (ADMIN, ADMIN_EPILOG),
    "export": (EXPORT, EXPORT_EPILOG),
    "plan": (PLAN, PLAN_EPILOG),
    "apply": (APPLY, APPLY_EPILOG),
    **help_users.COMMANDS,
    **help_audit.COMMANDS,
    **help_completion.COMMANDS,
    **help_import.COMMANDS,
    "schema": (SCHEMA, SCHEMA_EPILOG),
    "settings": (SETTINGS, SETTINGS_EPILOG),
}
"""The text before and after the options of each command."""
