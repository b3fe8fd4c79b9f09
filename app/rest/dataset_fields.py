"""Parameters of the routes of datasets."""

from app.rest.parameters import DESCRIPTION, SLUG, TEXT, TITLE, Field, choice

VISIBILITY = choice("Private", "Unlisted", "Public")

VISIBILITY_FIELD = Field(
    "visibility",
    VISIBILITY,
    "Users who may find and download the dataset without a grant: 0 (Private) none, 1 (Unlisted) every signed-in user, "
    "2 (Public) everyone. With the setting DroneDbClients, 1 is everyone too: REST lists it "
    "only to those who see the org, but GraphQL lists it to everyone. A change needs ADMIN on the dataset.",
)
TAGLINE = Field(
    "tagline", DESCRIPTION, "A description of at most 1,000 characters; absent keeps it.", input_fields=("description",)
)
NEW = (
    Field("slug", SLUG, "2 to 128 of a to z, 0 to 9, _ and -; unique in the org.", required=True),
    Field("name", TITLE, "1 to 200 printable characters; the slug if absent."),
    VISIBILITY_FIELD,
    Field("tagline", DESCRIPTION, "A description of at most 1,000 characters.", input_fields=("description",)),
)
CHANGES = (Field("name", TITLE, "1 to 200 printable characters; absent keeps it."), VISIBILITY_FIELD, TAGLINE)
META = (
    Field("key", TEXT, "`name`, `tagline` or `visibility`, in any letter case; any other key is 400.", required=True),
    Field(
        "data",
        TEXT,
        "The value as JSON text: a text in quotes for `name` (1 to 200 characters) and `tagline` (at most 1,000, null "
        "for none), a number from 0 to 2 or its name for `visibility`.",
        required=True,
        input_fields=("name", "description"),
    ),
    Field("path", TEXT, "Must be absent or empty: there is no metadata of files."),
)
