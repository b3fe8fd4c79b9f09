"""The query of one decision, which knows locks and additional entries."""

from typing import Annotated, Any

import strawberry

from app.domain.errors import BadInput
from app.domain.resource_roles import SubjectType
from app.graphql.schema.decorators import input_type, object_type, one_of_input, optional
from app.graphql.schema.enums import DescribedEnum, ResourceRole, enum, of_value, role_list
from app.graphql.schema.fields import computed_field
from app.graphql.schema.payloads import fill_payload
from app.graphql.schema.refs import GroupBy, UserBy, resolve_group, resolve_resource, resolve_user
from app.graphql.schema.types.checks import WHO_MAY_ASK, ByResource, ByRole
from app.services import decisions
from app.services.access import GrantEntry

Info = strawberry.Info[Any, Any]


@enum
class AccessOutcome(DescribedEnum):
    """The answer of a decision."""

    # The names of `services.decisions.Outcome`.

    GRANTED = "GRANTED", "The user has the role and may use it now."
    LOCKED = "LOCKED", "The user has the role, but the resource is locked, so nobody may write."
    DENIED = "DENIED", "The user does not have the role."


@object_type
class AccessDecision:
    """The answer to whether a user may act in a role on a resource now."""

    outcome: AccessOutcome = strawberry.field(description="The answer.")
    effective_roles: list[ResourceRole] = strawberry.field(
        description="All roles of the user on the resource, with implied ones and those of the additional entries. "
        "A lock does not remove roles."
    )


@one_of_input
class DecisionSubject:
    """The subject of a decision. Exactly one field must be set."""

    user: UserBy | None = optional("A user.")
    anonymous: bool | None = optional("A request without a sign-in. The value must be true.")


@one_of_input
class EntrySubject:
    """The subject of an additional entry. Exactly one field must be set."""

    group: GroupBy | None = optional("A group whose members the viewer may see.")
    user: UserBy | None = optional("A user. The entry of another user changes nothing.")
    general: bool | None = optional("All signed-in users. The value must be true.")
    anyone: bool | None = optional("Everyone, signed in or not. The value must be true.")


@input_type
class ContextualEntryInput:
    """An entry that counts for one decision only, as if it were in the access configuration."""

    subject: EntrySubject = strawberry.field(description="The subject that receives the roles.")
    roles: list[ResourceRole] = strawberry.field(description="The roles. Anyone can have read roles only.")


@object_type
class Decisions:
    """Queries about what a user may do now."""

    @computed_field(
        "Return whether a user may act in a role on a resource now. Unlike `checkAccess`, it distinguishes locked "
        f"resources, answers for requests without a sign-in, and takes additional entries. {WHO_MAY_ASK}"
    )
    async def access_decision(
        self,
        info: Info,
        subject: Annotated[DecisionSubject, strawberry.argument(description="The user.")],
        resource: ByResource,
        role: ByRole,
        entries: Annotated[
            list[ContextualEntryInput] | None,
            strawberry.argument(
                description="At most 20 additional entries. They need ADMIN on the resource or ACCESS_VIEW, and the "
                "right to see the members of each group."
            ),
        ] = None,
    ) -> AccessDecision | None:
        context = info.context
        if subject.anonymous is False:
            raise BadInput("`subject.anonymous` must be true, or absent.", "subject", "anonymous")
        user = None if subject.user is None else resolve_user(subject.user)
        decision = await decisions.decide(
            context.database,
            context.viewer,
            user,
            resolve_resource(resource),
            int(role.value),
            [_entry(each) for each in entries or ()],
        )
        values = {
            "outcome": of_value(AccessOutcome, decision.outcome.value),
            "effective_roles": role_list(decision.mask),
        }
        return fill_payload(AccessDecision, values)


def _entry(entry: ContextualEntryInput) -> GrantEntry:
    mask, subject = sum({int(role.value) for role in entry.roles}), entry.subject
    if subject.group is not None:
        return GrantEntry(SubjectType.GROUP, mask, ref=resolve_group(subject.group))
    if subject.user is not None:
        return GrantEntry(SubjectType.USER, mask, ref=resolve_user(subject.user))
    kind, flag = (
        (SubjectType.GENERAL, subject.general) if subject.general is not None else (SubjectType.ANYONE, subject.anyone)
    )
    return GrantEntry(kind, mask, has_no_subject=not flag)
