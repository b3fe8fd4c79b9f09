"""Long help texts of the commands below `user`."""

USER = """\
Manage users on the server's machine, without a browser and without a sign-in. The
rules are those of the API: one active administrator remains, and names and passwords
are checked. The audit log records each change as a command. The server may keep
running. A user is given by name, in any letter case, or by id.
"""

USER_EPILOG = """\
examples:
  ostiary user list --role admin          who administers this registry
  ostiary user create ann --email ann@example.org --role user
                                          prints a random password once
  ostiary user show ann                   what they have and own
  ostiary user roles add ann curator
  ostiary user deactivate ann             ends all access from the next request on
  ostiary user delete ann --successor bob

exit codes:
  0 done   1 refused, or the database cannot be used; nothing was changed
  2 wrong arguments or settings, or the identity provider manages the users
"""

LIST = """\
Print a line for each user, by name: the roles, the last sign-in in UTC, and the e-mail
address. If more users match than --limit, standard error says so.
"""

LIST_EPILOG = """\
examples:
  ostiary user list --deactivated
  ostiary user list --json --limit 100000 > users.json

exit codes:
  0 printed   1 no such role, or the database cannot be used
  2 wrong arguments or settings
"""

SHOW = """\
Print a user with their roles, times, and the numbers of what they own and belong to.
Nobody learns a password: only whether one is set.
"""

CREATE = """\
Create a user. Without another option they get a random password, which is printed once
and stored only as a hash. A password is never an argument, where every user of the
machine can read it: use --prompt or --stdin. It must follow PasswordPolicy.
"""

CREATE_EPILOG = """\
examples:
  ostiary user create ann --role user --role curator
  ostiary user create ann --prompt        asks twice
  ostiary user create ann --stdin < file  reads the first line of a file
  ostiary user create importer --service-account

exit codes:
  0 created   1 refused, or the database cannot be used; nothing was changed
  2 wrong arguments or settings, or the identity provider manages the users
"""

ACTIVE = """\
`deactivate` ends all access of a user from the next request on, on every worker: no
session and no API token of theirs is accepted. They keep their roles and what they own.
`activate` gives all of it back. The last active administrator cannot be deactivated.
"""

DELETE = """\
Delete a user with their memberships, grants and tokens. The successor, if any, becomes
the owner of all they own; without one, it has no owner. It is refused while one of
these resources is locked, and for the last active administrator.
"""

ROLES = """\
Add system roles to those that a user has, or remove some. Roles that change nothing
make no difference. The last active administrator keeps the role `admin`.
"""

COMMANDS = {
    "user": (USER, USER_EPILOG),
    "user list": (LIST, LIST_EPILOG),
    "user show": (SHOW, USER_EPILOG),
    "user create": (CREATE, CREATE_EPILOG),
    "user deactivate": (ACTIVE, USER_EPILOG),
    "user activate": (ACTIVE, USER_EPILOG),
    "user delete": (DELETE, USER_EPILOG),
    "user roles": (ROLES, USER_EPILOG),
    "user roles add": (ROLES, USER_EPILOG),
    "user roles remove": (ROLES, USER_EPILOG),
}
"""The text before and after the options of each command."""
