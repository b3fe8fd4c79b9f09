"""What the command line says about itself."""

DESCRIPTION = """\
Ostiary keeps the users, roles and grants of a data registry, decides who may do
what, and serves it over GraphQL and REST. One command starts it: ostiary serve
"""

EPILOG = """\
examples:
  ostiary serve                           on 127.0.0.1:5000, data in data/ostiary.db
  ostiary serve --port 8080 --workers 4   several workers: one for each core
  ostiary serve --demo                    a registry to try things on, where there is none
  OSTIARY_DATABASE_URL=postgresql://user:password@host/database ostiary serve
  ostiary settings                        what is set, by whom, and what it means
  ostiary keys rotate                     a new key to sign tokens with
  ostiary admin reset-password admin      a new password for who has lost it
  ostiary sessions end                    after a backup was put back
  ostiary schema > schema.graphql         the GraphQL schema

settings:
  They come from appsettings.json in the working directory, or from the file that
  --settings or OSTIARY_SETTINGS_FILE names, with keys such as DefaultAdmin.
  Environment variables stand over the file, with __ between a section and its
  key: OSTIARY_DEFAULT_ADMIN__PASSWORD. Relative paths start at the working directory.

exit codes:
  0 done, or stopped with Ctrl-C or SIGTERM
  1 the database or the port cannot be used   2 wrong arguments or settings
"""


DEMO = """\
Fill an empty database with a registry to try things on, and stop: orgs from
marine science to a sound archive, their people at every level, groups, and some
three hundred resources with grants, ends, locks and two years of history.

It fills only a database that nobody uses yet: at most the first administrator,
no orgs, no groups. Any other is left as it is. The same world is made each time;
what ends soon ends some days after it was made. All its people share one
password, which everybody knows: a server with such people refuses to listen
where others reach it. To begin anew, take an empty database.
"""

DEMO_EPILOG = """\
examples:
  ostiary demo && ostiary serve           the same as ostiary serve --demo
  OSTIARY_DATABASE_URL=sqlite:///data/try.db ostiary serve --demo
                                          beside a registry that you have
"""

REINDEX = """\
Make the access index anew from the resources and their access configurations, in
one transaction, and say whether it was right. It always should be: every change
keeps it. Reading goes on meanwhile; changes wait until it is done.
"""

KEYS = """\
The keys that sign tokens with TokenAlgorithm EdDSA. They are kept in the database,
sealed under Secret, so that the workers of all hosts have the same ones; their
public halves are at /.well-known/jwks.json. The first one is made by the start.
"""

KEYS_EPILOG = """\
examples:
  ostiary keys list                       what there is, and what it is good for
  ostiary keys rotate                     now and then: nobody has to sign in again
  ostiary keys rotate --revoke            when a key may be known to others
"""

ROTATE = """\
Make a key that signs from now on. Servers that run learn of it by themselves, within
half a minute. The key before it goes on to verify what it has signed until the last
of those tokens has ended (TokenExpirationInDays), and is gone then. With --revoke all
keys before it are gone at once: everybody whom they let in must sign in again.
"""

SESSIONS = """\
End every session and every ticket: all users must sign in again. Do this after a
backup was put back, while the server is stopped or before others reach it: a token
that was ended after the backup was made would be good again. API tokens that were
revoked since then come back, too; --api-tokens deletes all of them.
"""

ADMIN = """\
Give a user a new password on the machine itself, without knowing the old one. All
their sessions end. The server may go on running. The change is in the audit log.
"""

ADMIN_EPILOG = """\
examples:
  ostiary admin reset-password admin      makes up a password and prints it once
  ostiary admin reset-password ann --stdin < file
                                          takes the first line of a file
"""
