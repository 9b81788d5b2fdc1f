# Retention: the keys of the safe, by seller and by day. It cannot sign a receipt; only the verifier can.

# Make, look at, configure and destroy; neither export nor back up in the clear, whatever the key says.
path "transit/keys/retention-seller-*" {
  capabilities      = ["create", "update", "read", "delete"]
  denied_parameters = { "exportable" = [], "allow_plaintext_backup" = [] }
}
path "transit/keys/retention-day-*" {
  capabilities      = ["create", "update", "read", "delete"]
  denied_parameters = { "exportable" = [], "allow_plaintext_backup" = [] }
}
# "update" without "create": sealing never makes a key, so a destroyed one does not come back.
path "transit/encrypt/retention-seller-*" { capabilities = ["update"] }
path "transit/encrypt/retention-day-*"    { capabilities = ["update"] }
path "transit/decrypt/retention-seller-*" { capabilities = ["update"] }
path "transit/decrypt/retention-day-*"    { capabilities = ["update"] }

path "transit/keys/retention-receipt" { capabilities = ["read"] }

path "pki/issue/retention" { capabilities = ["update"] }
