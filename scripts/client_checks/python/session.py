"""Signs in at the server of the check with the documented form."""

import json
import os
import urllib.parse
import urllib.request

ADDRESS = os.environ["ADDRESS"]
URL = f"{ADDRESS}/graphql"


def sign_in() -> str:
    """Return a session token."""
    form = urllib.parse.urlencode({"username": os.environ["USER_NAME"], "password": os.environ["PASSWORD"]})
    with urllib.request.urlopen(f"{ADDRESS}/users/authenticate", form.encode()) as answer:  # noqa: S310 - our server
        token: str = json.load(answer)["token"]
    return token
