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

SHOW_EPILOG = """\
examples:
  ostiary user show ann
  ostiary user show ann --json            for scripts

exit codes:
  0 printed   1 no such user, or the database cannot be used
  2 wrong arguments or settings
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

ACTIVE_EPILOG = """\
examples:
  ostiary user deactivate ann             ends all access from the next request on
  ostiary user activate ann               gives it back
  ostiary user list --deactivated         who is deactivated

exit codes:
  0 done   1 refused, or the database cannot be used; nothing was changed
  2 wrong arguments or settings, or the identity provider manages the users
"""

DELETE = """\
Delete a user with their memberships, grants and tokens. The successor, if any, becomes
the owner of all they own; without one, it has no owner. It is refused while one of
these resources is locked, and for the last active administrator.
"""

DELETE_EPILOG = """\
examples:
  ostiary user show ann                   what they own, before the deletion
  ostiary user delete ann --successor bob
  ostiary audit forget ann                afterwards: erases them from the audit log

exit codes:
  0 done   1 refused, or the database cannot be used; nothing was changed
  2 wrong arguments or settings, or the identity provider manages the users
"""

ROLES = """\
`add` gives a user more system roles, and `remove` takes some away; the others stay. To
add a role that the user has, or to remove one that they lack, is no error. The last
active administrator keeps the role `admin`.
"""

ROLES_EPILOG = """\
examples:
  ostiary user roles add ann curator auditor
  ostiary user roles remove ann curator
  ostiary user list --role curator        who has a role

exit codes:
  0 done   1 refused, or the database cannot be used; nothing was changed
  2 wrong arguments or settings, or the identity provider manages the users
"""

COMMANDS = {
    "user": (USER, USER_EPILOG),
    "user list": (LIST, LIST_EPILOG),
    "user show": (SHOW, SHOW_EPILOG),
    "user create": (CREATE, CREATE_EPILOG),
    "user deactivate": (ACTIVE, ACTIVE_EPILOG),
    "user activate": (ACTIVE, ACTIVE_EPILOG),
    "user delete": (DELETE, DELETE_EPILOG),
    "user roles": (ROLES, ROLES_EPILOG),
    "user roles add": (ROLES, ROLES_EPILOG),
    "user roles remove": (ROLES, ROLES_EPILOG),
}
"""The text before and after the options of each command."""
