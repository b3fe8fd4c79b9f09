"""Limits on the size and the time of one request."""

from pydantic import BaseModel, ConfigDict, Field

from app.config import values


class RequestLimits(BaseModel):
    """Limits on a request and on its connection, the same for GraphQL and REST."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    header_bytes: values.Count = Field(
        65_536,
        ge=4_096,
        le=1_048_576,
        description="Bytes of the request line and all header fields: 4,096 to 1,048,576. Above: 431.",
    )
    header_fields: values.Count = Field(
        200, ge=20, le=10_000, description="Number of header fields: 20 to 10,000. Above: 431."
    )
    header_seconds: values.Count = Field(
        10, ge=1, le=3_600, description="Seconds to send the request line and all header fields: 1 to 3600. Above: 408."
    )
    body_seconds: values.Count = Field(
        30, ge=1, le=3_600, description="Seconds to send the body: 1 to 3600. Above: 408."
    )
    body_bytes: values.Count = Field(
        1_048_576, ge=65_536, le=16_777_216, description="Bytes of the body: 65,536 to 16,777,216. Above: 413."
    )
    variable_values: values.Count = Field(
        50_000,
        ge=1_000,
        le=1_000_000,
        description="Values in the variables of a GraphQL request or in a JSON body, nested ones included: 1,000 to "
        "1,000,000. Above: OPERATION_TOO_COMPLEX.",
    )
    errors: values.Count = Field(
        50, ge=1, le=1_000, description="Errors in one response: 1 to 1,000. Further errors are omitted."
    )
    connections: values.Count = Field(
        1_000,
        ge=10,
        le=65_535,
        description="Open client connections of a worker: 10 to 65535. A newer one gets 503; health checks are exempt.",
    )
