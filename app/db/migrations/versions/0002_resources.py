"""Orgs, groups, resources with their types, locks and grants, and the access index."""

import sqlalchemy as sa
from alembic import op

from app.db.tables import JSONDocument, KeyText, UTCDateTime

revision = "0002"
down_revision = "0001"

TYPES = (
    ("DATASET", True),
    ("MODEL", False),
    ("MODEL_RUN", False),
    ("WORKFLOW", False),
    ("STUDY", False),
    ("PERSON", False),
    ("ORGANISATION", False),
)


def upgrade() -> None:
    """Create the tables and the built-in resource types."""
    _groups()
    _resource_types()
    _group_members()
    _orgs()
    _org_members()
    _resources()
    _access()
    _grants()
    _lock_events()
    _locks()
    types = sa.table("resource_types", sa.column("name"), sa.column("has_data"), sa.column("is_built_in"))
    op.bulk_insert(types, [{"name": name, "has_data": has_data, "is_built_in": True} for name, has_data in TYPES])


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("slug", KeyText, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("name_key", KeyText, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
        sa.UniqueConstraint("slug", name="uq_groups_slug"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_groups_name_key_id", "groups", ["name_key", "id"])


def _resource_types() -> None:
    op.create_table(
        "resource_types",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", KeyText, nullable=False),
        sa.Column("has_data", sa.Boolean, nullable=False),
        sa.Column("is_built_in", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_resource_types"),
        sa.UniqueConstraint("name", name="uq_resource_types_name"),
        sqlite_autoincrement=True,
    )


def _group_members() -> None:
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("is_manager", sa.Boolean, nullable=False),
        sa.Column("added_at", UTCDateTime, nullable=False),
        sa.Column("added_by", sa.Integer),
        sa.Column("expires_at", UTCDateTime),
        sa.ForeignKeyConstraint(["added_by"], ["users.id"], name="fk_group_members_added_by", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_group_members_group_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_group_members_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "user_id", name="pk_group_members"),
    )
    op.create_index("ix_group_members_added_by", "group_members", ["added_by"])
    op.create_index("ix_group_members_user_id_group_id", "group_members", ["user_id", "group_id"])


def _orgs() -> None:
    op.create_table(
        "orgs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("slug", KeyText, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", KeyText, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Integer),
        sa.Column("is_public", sa.Boolean, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_orgs_owner_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_orgs"),
        sa.UniqueConstraint("slug", name="uq_orgs_slug"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_orgs_name_key_id", "orgs", ["name_key", "id"])
    op.create_index("ix_orgs_owner_id", "orgs", ["owner_id"])


def _org_members() -> None:
    op.create_table(
        "org_members",
        sa.Column("org_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("granted_at", UTCDateTime, nullable=False),
        sa.Column("granted_by", sa.Integer),
        sa.Column("expires_at", UTCDateTime),
        sa.ForeignKeyConstraint(["granted_by"], ["users.id"], name="fk_org_members_granted_by", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name="fk_org_members_org_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_org_members_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "user_id", name="pk_org_members"),
    )
    op.create_index("ix_org_members_granted_by", "org_members", ["granted_by"])
    op.create_index("ix_org_members_user_id_org_id", "org_members", ["user_id", "org_id"])


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("org_id", sa.Integer, nullable=False),
        sa.Column("type_id", sa.Integer, nullable=False),
        sa.Column("slug", KeyText, nullable=False),
        sa.Column("path", KeyText, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", KeyText, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("details", JSONDocument, nullable=False),
        sa.Column("owner_id", sa.Integer),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("full_mask", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("updated_at", UTCDateTime, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name="fk_resources_org_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_resources_owner_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["type_id"], ["resource_types.id"], name="fk_resources_type_id"),
        sa.PrimaryKeyConstraint("id", name="pk_resources"),
        sa.UniqueConstraint("path", name="uq_resources_path"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_resources_created_at_id", "resources", ["created_at", "id"])
    op.create_index("ix_resources_name_key_id", "resources", ["name_key", "id"])
    op.create_index("ix_resources_org_id_name_key_id", "resources", ["org_id", "name_key", "id"])
    op.create_index("ix_resources_owner_id", "resources", ["owner_id"])
    op.create_index("ix_resources_type_id", "resources", ["type_id"])
    op.create_index("ix_resources_updated_at_id", "resources", ["updated_at", "id"])


def _access() -> None:
    op.create_table(
        "access",
        sa.Column("resource_id", sa.Integer, nullable=False),
        sa.Column("subject", sa.BigInteger, nullable=False),
        sa.Column("granted", sa.Integer, nullable=False),
        sa.Column("mask", sa.Integer, nullable=False),
        sa.Column("type_id", sa.Integer, nullable=False),
        sa.Column("expires_at", UTCDateTime),
        sa.Column("name_key", KeyText, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("updated_at", UTCDateTime, nullable=False),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name="fk_access_resource_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("resource_id", "subject", name="pk_access"),
    )
    op.create_index("ix_access_by_change", "access", ["subject", "updated_at", "resource_id"])
    op.create_index("ix_access_by_creation", "access", ["subject", "created_at", "resource_id"])
    op.create_index(
        "ix_access_by_name", "access", ["subject", "name_key", "resource_id", "mask", "type_id", "expires_at"]
    )


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("resource_id", sa.Integer, nullable=False),
        sa.Column("subject", sa.BigInteger, nullable=False),
        sa.Column("group_id", sa.Integer),
        sa.Column("user_id", sa.Integer),
        sa.Column("mask", sa.Integer, nullable=False),
        sa.Column("expires_at", UTCDateTime),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_grants_group_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name="fk_grants_resource_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_grants_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        sa.UniqueConstraint("resource_id", "subject", name="uq_grants_resource_id_subject"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_grants_group_id", "grants", ["group_id"])
    op.create_index("ix_grants_user_id", "grants", ["user_id"])


def _lock_events() -> None:
    op.create_table(
        "lock_events",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("resource_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer),
        sa.Column("is_lock", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name="fk_lock_events_resource_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_lock_events_user_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_lock_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lock_events_resource_id_created_at_id", "lock_events", ["resource_id", "created_at", "id"])
    op.create_index("ix_lock_events_user_id", "lock_events", ["user_id"])


def _locks() -> None:
    op.create_table(
        "locks",
        sa.Column("resource_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name="fk_locks_resource_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_locks_user_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("resource_id", name="pk_locks"),
    )
    op.create_index("ix_locks_user_id", "locks", ["user_id"])
