# Telemetry: signs the audit log's checkpoints.
path "transit/sign/telemetry-checkpoint" { capabilities = ["update"] }
path "transit/keys/telemetry-checkpoint" { capabilities = ["read"] }

path "kv/data/telemetry/*" { capabilities = ["create", "update", "read"] }

path "pki/issue/telemetry" { capabilities = ["update"] }
