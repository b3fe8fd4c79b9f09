"""Limits on the size and the time of one request."""

from app.config import values


class RequestLimits(values.Section):
    """Limits on a request and on its connection, the same for GraphQL and REST."""

    header_bytes: values.Count = values.count_field(
        65_536, 4_096, 1_048_576, "Bytes of the request line and all header fields: {}. Above: 431."
    )
    header_fields: values.Count = values.count_field(200, 20, 10_000, "Number of header fields: {}. Above: 431.")
    header_seconds: values.Count = values.count_field(
        10, 1, 3_600, "Seconds to send the request line and all header fields: {}. Above: 408."
    )
    body_seconds: values.Count = values.count_field(30, 1, 3_600, "Seconds to send the body: {}. Above: 408.")
    body_bytes: values.Count = values.count_field(1_048_576, 65_536, 16_777_216, "Bytes of the body: {}. Above: 413.")
    form_bytes: values.Count = values.count_field(
        131_072, 16_384, 1_048_576, "Bytes of a URL-encoded or multipart body: {}. Above: 413."
    )
    variable_values: values.Count = values.count_field(
        50_000,
        1_000,
        1_000_000,
        "Values in the variables of a GraphQL request or in a JSON body, nested ones included: {}."
        " Above: OPERATION_TOO_COMPLEX.",
    )
    errors: values.Count = values.count_field(50, 1, 1_000, "Errors in one response: {}. Further errors are omitted.")
    connections: values.Count = values.count_field(
        1_000, 10, 65_535, "Open client connections of a worker: {}. A newer one gets 503; health checks are exempt."
    )
