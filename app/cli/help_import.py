"""Long help texts of `ostiary import`."""

IMPORT = """\
Move in from another registry. The source is translated into a declared state, as in
`ostiary apply`, so what is there already is compared, the audit log has one event
`applyState`, and a second run changes nothing. Nothing is removed. What does not fit
is left out and named with its reason: a name that is not possible here, a hash of an
unknown form, a reference to a user who is left out. The source is never changed. A
database that does not exist is created, but not for --dry-run and --output.
"""

IMPORT_EPILOG = """\
examples:
  ostiary import dronedb App_Data --dry-run
                                          the plan, and what does not fit
  ostiary import dronedb App_Data --output moved.yaml
                                          a document to edit, for `ostiary apply`
  ostiary import provena exports --org reef-data
                                          all items become resources of this org
"""

EXIT_CODES = """\
exit codes:
  0 all of the source is here   4 made, planned or written, but something does not fit
  1 the source cannot be read and nothing was changed, or the database cannot be used
  2 wrong arguments or settings
"""

DRONEDB = """\
Bring users, roles, organizations with members, and datasets of DroneDB Registry.
SOURCE is the folder with its SQLite files identity.db and registry.db. Names and
visibilities of datasets are beside their files, in the folder `datasets` of SOURCE or
in the one of --datasets; without it all datasets are private.

For a registry on MySQL or MariaDB, SOURCE has the files of mysqldump, identity.sql and
registry.sql, or is one file with both databases. No server is needed, and nothing of a
file is run. With --accounts-only, the file of the identity database is enough.

Users sign in with their old passwords; those who have one here keep it. A user who is
locked out for more than a day gets the role `deactivated`. A user name has letters and
digits here: --plain-names makes others fit, and tells if two would become one. An org
`public` needs another slug: --rename-org. Files, sizes and dates do not come.
"""

DRONEDB_EPILOG = (
    """\
examples:
  ostiary import dronedb App_Data --dry-run
  ostiary import dronedb App_Data --datasets /srv/datasets --plain-names
  ostiary import dronedb App_Data --rename-org public=open
  ostiary import dronedb all.db --output moved.yaml
  ostiary import dronedb all.sql --dry-run
                                          the file of mysqldump --databases
  ostiary import dronedb identity.sql --accounts-only

"""
    + EXIT_CODES
)

PROVENA = """\
Bring groups with their members, and items with owner, access and lock, from the JSON of
Provena's exports of groups (/groups/admin/export) and of the registry (/registry/admin/
export). Several files of a folder are read together, in any order.

All items become resources of one org, with the handle as slug: 10378.1/1234 is
10378-1-1234. What an item says is in the metadata of the resource, without its history.
Members and owners become users without a password. If an identity provider manages the
accounts, they must be here already: let people sign in once, and run this again. The
history of locks does not come; a locked item has the reason of its last lock.
"""

PROVENA_EPILOG = (
    """\
examples:
  ostiary import provena exports --dry-run
  ostiary import provena exports --org reef-data --plain-names
  ostiary import provena registry.json --output moved.yaml

"""
    + EXIT_CODES
)

COMMANDS = {
    "import": (IMPORT, IMPORT_EPILOG),
    "import dronedb": (DRONEDB, DRONEDB_EPILOG),
    "import provena": (PROVENA, PROVENA_EPILOG),
}
"""The text before and after the options of each command."""
