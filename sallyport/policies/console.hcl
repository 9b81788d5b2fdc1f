# The operators' command line: its own certificate, and the public keys that prove others' signatures.
path "transit/keys/telemetry-checkpoint" { capabilities = ["read"] }
path "transit/keys/retention-receipt"    { capabilities = ["read"] }

path "pki/issue/console" { capabilities = ["update"] }
