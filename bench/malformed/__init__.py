"""A show: 100,000 malformed requests against a running gateway, and what is left of it afterwards.

`framing` and `contents` make requests that are wrong on purpose, `mutations` breaks valid ones at random,
`generated` has schemathesis make some from `description`, an OpenAPI description of the gateway's faces.
Everything follows from one seed, which is printed. `exchange` sends over real TLS connections, `show` drives
them, `verdict` says what was promised and what was seen.

Only the socket is used, so that whatever serves the public port is shown.
"""
