"""HTTP code that both APIs share: bodies, headers, authentication, cookies, responses and middleware."""

from app.http.authentication import (
    authenticate,
    extract_credentials,
    forget_viewer,
    note_origin,
    require_expected_viewer,
    require_own_page,
    viewer_under_condition,
)
from app.http.bodies import body, json_value, media_type
from app.http.cors import cors
from app.http.csrf import from_foreign_page
from app.http.fastpath.buffered_response import BufferedResponse
from app.http.fastpath.router import FastRouter
from app.http.headers import RequestHeaders, parse_headers
from app.http.middleware import RequestLog, RequestMiddleware
from app.http.responses import (
    NO_SNIFFING,
    NO_STORE,
    Cookie,
    MethodNotAllowed,
    UnsupportedMediaType,
    cached_response,
    encode_json,
    expired_session_cookie,
    headers,
    session_cookie,
    set_cookie,
)
from app.http.value_limits import require_few_uses, require_few_values
