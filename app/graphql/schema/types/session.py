"""The type of sessions."""

from datetime import datetime

import strawberry

from app.graphql.schema.decorators import object_type
from app.graphql.schema.fields import edge
from app.graphql.schema.types.users import User
from app.services import read_graph


@object_type
class Session:
    """A session token with its user. Browsers receive the token as a cookie too."""

    token: str = strawberry.field(description="Send it as `Authorization: Bearer …`.")
    expires_at: datetime = strawberry.field(description="When the token expires, to the second.")
    user: User | None = edge("The signed-in user.", read_graph.user)
