"""Mutations that sign users in and out and set passwords."""

import strawberry

from app.db import Transaction
from app.domain.errors import InvalidInput, Problems
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.directives import Permission
from app.graphql.schema.fields import edge
from app.graphql.schema.outcomes import SECRET
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, action, fill_payload, mutation
from app.graphql.schema.refs import UserBy, resolve_user
from app.graphql.schema.types.session import Session
from app.graphql.schema.types.users import User
from app.services import password_changes, read_graph
from app.services import session as accounts


@input_type
class LoginInput:
    """A user name and its password, or a token of the identity provider."""

    user_name: str | None = optional("The user name, without regard to letter case.")
    password: str | None = optional("The password; at most 1,024 characters.")
    token: str | None = optional(
        "A token of the identity provider, at most 16,384 characters, instead of user name and "
        "password. Rejected if no identity provider is configured."
    )


@input_type
class SignOutEverywhereInput(ChangeInput):
    """The user whose tokens are revoked."""

    user: UserBy | None = optional(
        "The user; the viewer if absent. Another user requires USERS_MANAGE and rights that do not exceed the viewer's."
    )


@input_type
class ChangePasswordInput(ChangeInput):
    """The current and the new password of the viewer."""

    old_password: str = strawberry.field(description="The current password.")
    new_password: str = strawberry.field(
        description="A password that meets the password policy; at most 1,024 characters."
    )


@input_type
class ResetPasswordInput(ChangeInput):
    """A new password for a user."""

    user: UserBy = strawberry.field(description="The user.")
    new_password: str = strawberry.field(
        description="A password that meets the password policy; at most 1,024 characters."
    )


@object_type
class LoginPayload(Payload):
    """Payload of `login`. The rest of the request runs as the signed-in user."""

    session: Session | None = strawberry.field(description="The new session.", metadata=SECRET)


@object_type
class RefreshTokenPayload(Payload):
    """Payload of `refreshToken`."""

    session: Session | None = strawberry.field(
        description="The new session. The previous token stays valid until it expires.", metadata=SECRET
    )


@object_type
class LogoutPayload(Payload):
    """Payload of `logout`. The rest of the request is anonymous."""


@object_type
class SignOutEverywherePayload(Payload):
    """Payload of `signOutEverywhere`."""

    user: User | None = edge("The user whose tokens were revoked.", read_graph.user)


@object_type
class ChangePasswordPayload(Payload):
    """Payload of `changePassword`."""

    session: Session | None = strawberry.field(
        description="A new session. All previous ones were revoked. Null with `validateOnly`, and when a "
        "`clientMutationKey` is sent again.",
        metadata=SECRET,
    )


@object_type
class ResetPasswordPayload(Payload):
    """Payload of `resetPassword`."""

    user: User | None = edge("The user.", read_graph.user)


def _open_session(context: GraphQLContext, session: accounts.Session) -> Outcome:
    context.set_viewer(session)
    values = {"token": session.token, "expires_at": session.expires_at, "user": session.viewer.user_id}
    return {"session": fill_payload(Session, values)}


async def _log_in(context: GraphQLContext, data: LoginInput) -> Outcome:
    if data.token is not None:
        if data.user_name is not None or data.password is not None:
            raise InvalidInput("Send either `token`, or `userName` and `password`, not both.", ("token",))
        return _open_session(context, await accounts.log_in_with_token(context.app, data.token))
    if data.user_name is None or data.password is None:
        text = "`{}` is missing. Send `userName` and `password`, or `token`."
        raise Problems([InvalidInput(text.format(name), (name,)) for name in _missing_fields(data)])
    return _open_session(context, await accounts.log_in(context.app, data.user_name, data.password))


def _missing_fields(data: LoginInput) -> list[str]:
    values = {"userName": data.user_name, "password": data.password}
    return [name for name, value in values.items() if value is None]


async def _refresh(context: GraphQLContext, data: None) -> Outcome:
    async with accounts.token_slot(context.app):
        return _open_session(context, await accounts.refresh(context.app, context.viewer))


async def _log_out(context: GraphQLContext, data: None) -> Outcome:
    async with context.change() as tx:
        await accounts.log_out(tx, context.viewer)
    context.clear_viewer()
    return {}


async def _sign_out_everywhere(tx: Transaction, viewer: Viewer, data: SignOutEverywhereInput) -> Outcome:
    user = None if data.user is None else resolve_user(data.user)
    return {"user": await accounts.sign_out_everywhere(tx, viewer, user)}


async def _change_password(context: GraphQLContext, data: ChangePasswordInput) -> Outcome:
    session = await password_changes.change_password(
        context.app, context.viewer, data.old_password, data.new_password, dry_run=data.validate_only
    )
    return {} if session is None else _open_session(context, session)


async def _reset_password(context: GraphQLContext, data: ResetPasswordInput) -> Outcome:
    password_hash = await password_changes.hash_managed_password(context.app, context.viewer, data.new_password)
    async with context.change(dry_run=data.validate_only) as tx:
        return {
            "user": await password_changes.reset_password(tx, context.viewer, resolve_user(data.user), password_hash)
        }


@object_type
class SessionMutations:
    """Mutations that sign users in and out."""

    login: LoginPayload | None = action(
        "Sign in with a password, or with a token of the identity provider. An unknown user, a wrong password "
        "and a deactivated user have the same error, UNAUTHENTICATED.",
        LoginInput,
        _log_in,
    )
    refresh_token: RefreshTokenPayload | None = action(
        "Return a new token. The current one stays valid until it expires.", None, _refresh
    )
    logout: LogoutPayload | None = action("Revoke the token of this request, from the next request on.", None, _log_out)
    sign_out_everywhere: SignOutEverywherePayload | None = mutation(
        "Revoke all session tokens of a user, from the next request on.",
        SignOutEverywhereInput,
        _sign_out_everywhere,
        requires=Permission.USERS_MANAGE,
        unless="the user is the viewer",
    )
    change_password: ChangePasswordPayload | None = action(
        "Change the viewer's own password. All session tokens of the viewer are revoked, and a new one is returned. "
        "The code is CONFLICT if another request has changed the password meanwhile.",
        ChangePasswordInput,
        _change_password,
    )
    reset_password: ResetPasswordPayload | None = action(
        "Set the password of a user whose permissions, memberships, roles on resources and ownership do not "
        "exceed the viewer's. All session tokens of that user are revoked.",
        ResetPasswordInput,
        _reset_password,
        requires=Permission.USERS_MANAGE,
    )
