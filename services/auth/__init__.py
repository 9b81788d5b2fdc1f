"""auth: the only holder of what Amazon gave for the sellers' trust.

Owns: the vendor's applications, sellers and their users, sessions, consents, devices and their tokens;
the keys under which all of it is sealed; the conversation with Amazon's token endpoints.
Never: sees a buyer's data, or lets a refresh token or a client secret out.
Talks to: Postgres (its own schema), the key service, Amazon's LWA and tokens API, telemetry (audit), and
retention, of which it asks one thing: erase a seller who left.
Called by: gateway (what people and desktops do) and console (what operators decide).
"""
