"""Routes of the version and the features of the server."""

from typing import Any

from starlette.responses import Response

from app import __version__
from app.config import PasswordPolicy
from app.rest import models
from app.rest.responses import json, plain
from app.rest.routing import AuthMode, Call, Route

VERSION = __version__


async def _is_managed(call: Call) -> Response:
    return json(call.context.settings.external_auth_url is None)


async def _has_member_management(call: Call) -> Response:
    return json({"enabled": call.context.settings.enable_organization_member_management})


async def _features(call: Call) -> Response:
    settings = call.context.settings
    return json(
        {
            "organizationMemberManagement": settings.enable_organization_member_management,
            "userManagement": settings.external_auth_url is None,
            "storageLimiter": settings.enable_storage_limiter,
            "maxConcurrentDownloadsPerUser": None,
            "disableAnonymousBulkDownloads": False,
            "passwordPolicy": _policy(settings.password_policy),
            "datasetThumbnailCandidates": [],
            "maxExportSizeBytes": None,
            "bulkDownloadAsyncThresholdBytes": None,
            "taskTools": [],
            "taskStates": [],
            "hubOptions": {},
            "hubVersion": None,
            "registryVersion": VERSION,
            "ddbVersion": None,
        }
    )


def _policy(policy: PasswordPolicy | None) -> dict[str, Any] | None:
    if policy is None:
        return None
    return {
        "minLength": policy.min_length,
        "requireDigit": policy.require_digit,
        "requireUppercase": policy.require_uppercase,
        "requireLowercase": policy.require_lowercase,
        "requireNonAlphanumeric": policy.require_non_alphanumeric,
    }


async def _version(call: Call) -> Response:
    return plain(VERSION)


async def _version_in_json(call: Call) -> Response:
    return json(VERSION)


ROUTES = (
    Route(
        "GET",
        "/users/management-enabled",
        _is_managed,
        AuthMode.NONE,
        "True if this server manages the users; false with an identity provider.",
        response_type=bool,
        name="isUserManagementEnabled",
    ),
    Route(
        "GET",
        "/orgs/features/member-management",
        _has_member_management,
        AuthMode.NONE,
        "True if POST, PUT and DELETE below /orgs/{orgSlug}/members are enabled.",
        response_type=models.Enabled,
        name="getMemberManagement",
    ),
    Route(
        "GET",
        "/sys/features",
        _features,
        AuthMode.NONE,
        "Features and requirements of this server, for clients that adapt their screens.",
        response_type=models.Features,
        name="getFeatures",
    ),
    Route(
        "GET",
        "/version",
        _version,
        AuthMode.NONE,
        "The version, in plain text.",
        response_type=models.PlainText,
        name="getVersion",
    ),
    Route(
        "GET",
        "/sys/version",
        _version_in_json,
        AuthMode.REQUIRED,
        "The version, in JSON.",
        response_type=str,
        name="getVersionInJson",
    ),
)
