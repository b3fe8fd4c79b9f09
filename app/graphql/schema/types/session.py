"""Signing in and out over GraphQL."""

from datetime import datetime

import strawberry

from app.db import Transaction
from app.domain.errors import InvalidInput, Problems
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.fields import edge
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, action, fill_payload, mutation
from app.graphql.schema.refs import UserBy, resolve_user
from app.graphql.schema.types.users import User
from app.services import read_graph
from app.services import session as accounts


@object_type
class Session:
    """A token, and whose it is. The browser gets it as a cookie too."""

    token: str = strawberry.field(description="Send it as `Authorization: Bearer …`.")
    expires_at: datetime = strawberry.field(description="When it ends, to the second.")
    user: User | None = edge("Who signed in.", read_graph.user)


@input_type
class LoginInput:
    """A user name and its password, or a token of the external provider's."""

    user_name: str | None = strawberry.field(default=None, description="In any letter case.")
    password: str | None = strawberry.field(default=None, description="At most 1,024 characters.")
    token: str | None = strawberry.field(
        default=None,
        description="At most 16,384 characters, in place of user name and password: the external provider says whose "
        "it is. None is good where there is no provider.",
    )


@input_type
class SignOutEverywhereInput(ChangeInput):
    """Whose tokens end."""

    user: UserBy | None = strawberry.field(
        default=None,
        description="A user who holds no more than the viewer, with USERS_MANAGE; the viewer herself when absent.",
    )


@input_type
class ChangePasswordInput(ChangeInput):
    """The old and the new password of the viewer."""

    old_password: str = strawberry.field(description="The password that holds now.")
    new_password: str = strawberry.field(description="Keeps the password policy; at most 1,024 characters.")


@input_type
class ResetPasswordInput(ChangeInput):
    """A new password for a user."""

    user: UserBy = strawberry.field(description="Which user.")
    new_password: str = strawberry.field(description="Keeps the password policy; at most 1,024 characters.")


@object_type
class LoginPayload(Payload):
    """The answer to `login`. What follows in the same request is asked by the one who signed in."""

    session: Session | None = strawberry.field(description="The new session.")


@object_type
class RefreshTokenPayload(Payload):
    """The answer to `refreshToken`."""

    session: Session | None = strawberry.field(description="The new session; the old token stays good until it ends.")


@object_type
class LogoutPayload(Payload):
    """The answer to `logout`. What follows in the same request is asked by nobody."""


@object_type
class SignOutEverywherePayload(Payload):
    """The answer to `signOutEverywhere`."""

    user: User | None = edge("Whose tokens ended.", read_graph.user)


@object_type
class ChangePasswordPayload(Payload):
    """The answer to `changePassword`."""

    session: Session | None = strawberry.field(description="A new session, since every other one has ended.")


@object_type
class ResetPasswordPayload(Payload):
    """The answer to `resetPassword`."""

    user: User | None = edge("Whose password it is.", read_graph.user)


def _opened(context: GraphQLContext, session: accounts.Session) -> Outcome:
    context.set_viewer(session)
    shown = {"token": session.token, "expires_at": session.expires_at, "user": session.viewer.user_id}
    return {"session": fill_payload(Session, shown)}


async def _log_in(context: GraphQLContext, given: LoginInput) -> Outcome:
    if given.token is not None:
        if given.user_name is not None or given.password is not None:
            raise InvalidInput("A token stands alone: give it, or a user name and a password.", ("token",))
        return _opened(context, await accounts.log_in_with_token(context.app, given.token))
    if given.user_name is None or given.password is None:
        raise Problems([InvalidInput(f"`{name}` is missing, or a `token` alone.", (name,)) for name in _missing(given)])
    return _opened(context, await accounts.log_in(context.app, given.user_name, given.password))


def _missing(given: LoginInput) -> list[str]:
    wanted = {"userName": given.user_name, "password": given.password}
    return [name for name, text in wanted.items() if text is None]


async def _refresh(context: GraphQLContext, given: None) -> Outcome:
    async with accounts.token_slot(context.app):
        return _opened(context, await accounts.refresh(context.app, context.viewer))


async def _log_out(context: GraphQLContext, given: None) -> Outcome:
    async with context.change() as tx:
        await accounts.log_out(tx, context.viewer)
    context.clear_viewer()
    return {}


async def _sign_out_everywhere(tx: Transaction, viewer: Viewer, given: SignOutEverywhereInput) -> Outcome:
    user = None if given.user is None else resolve_user(given.user)
    return {"user": await accounts.sign_out_everywhere(tx, viewer, user)}


async def _change_password(context: GraphQLContext, given: ChangePasswordInput) -> Outcome:
    session = await accounts.change_password(
        context.app, context.viewer, given.old_password, given.new_password, dry_run=given.validate_only
    )
    return {} if session is None else _opened(context, session)


async def _reset_password(context: GraphQLContext, given: ResetPasswordInput) -> Outcome:
    (fresh,) = await accounts.hash_managed_passwords(
        context.app, context.viewer, [(given.new_password, ("newPassword",))]
    )
    async with context.change(dry_run=given.validate_only) as tx:
        return {"user": await accounts.reset_password(tx, context.viewer, resolve_user(given.user), str(fresh))}


@object_type
class SessionMutations:
    """Signing in and out."""

    login: LoginPayload | None = action(
        "Sign in with a password, or with a token of the external provider's. Unknown, wrong and deactivated are "
        "refused alike, as UNAUTHENTICATED.",
        LoginInput,
        _log_in,
    )
    refresh_token: RefreshTokenPayload | None = action("A new token while the one that asks is good.", None, _refresh)
    logout: LogoutPayload | None = action(
        "Make the token that asks worthless from the next request on.", None, _log_out
    )
    sign_out_everywhere: SignOutEverywherePayload | None = mutation(
        "Make every token of a user worthless from the next request on.",
        SignOutEverywhereInput,
        _sign_out_everywhere,
        requires=Permission.USERS_MANAGE,
        unless="it is the viewer herself",
    )
    change_password: ChangePasswordPayload | None = action(
        "Change the viewer's own password. Every token of hers ends, and a new one is answered.",
        ChangePasswordInput,
        _change_password,
    )
    reset_password: ResetPasswordPayload | None = action(
        "Set the password of a user who holds no more than the viewer: neither permissions nor memberships, roles on "
        "resources or ownership. Every token of that user ends.",
        ResetPasswordInput,
        _reset_password,
        requires=Permission.USERS_MANAGE,
    )
