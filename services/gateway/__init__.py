"""The gateway: Sallyport's only public door.

Owns the faces that desktops and browsers see (the portal, sign-in for native applications, the
LWA-shaped token endpoint, the SP-API face, documents), the operation catalogue, quota and field policy.
Never holds a refresh token of Amazon's, a client secret or a data key: it borrows an hour's access
token from auth for the one call at hand. Talks to auth, retention, telemetry, Postgres, Amazon's SP-API and
Amazon's storage of documents.
"""
