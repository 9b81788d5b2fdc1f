"""Everything the services find in their engines when they start: made here, again and again, harmlessly.

`key_service` first: keys, secrets, the authority that issues certificates, and what each identity may do.
Then `database`: roles, schemas, migrations. `handout` says where a service is told about both.
"""

SERVICES_WITH_STORE = ("auth", "gateway", "retention", "telemetry")
IDENTITIES = ("gateway", "auth", "retention", "telemetry", "console")
# Logs in to the key service beside its service and shows no certificate.
VERIFIER = "verifier"
DATABASE = "sallyport"
OWNER = "sallyport_owner"
