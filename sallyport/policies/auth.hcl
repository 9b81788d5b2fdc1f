# Auth: the sellers' keys over what Amazon gave, and its own secrets.

# Make, look at, configure and destroy; neither export nor back up in the clear, whatever the key says.
path "transit/keys/auth-seller-*" {
  capabilities      = ["create", "update", "read", "delete"]
  denied_parameters = { "exportable" = [], "allow_plaintext_backup" = [] }
}
# "update" without "create": sealing never makes a key, so a destroyed one does not come back.
path "transit/encrypt/auth-seller-*" { capabilities = ["update"] }
path "transit/decrypt/auth-seller-*" { capabilities = ["update"] }

# The same for what is the vendor's staff's; this key is never destroyed.
path "transit/keys/auth-staff" {
  capabilities      = ["create", "update", "read"]
  denied_parameters = { "exportable" = [], "allow_plaintext_backup" = [] }
}
path "transit/keys/auth-staff/rotate" { capabilities = ["update"] }
path "transit/keys/auth-staff/config" {
  capabilities       = ["update"]
  allowed_parameters = { "min_decryption_version" = [] }
}
path "transit/encrypt/auth-staff" { capabilities = ["update"] }
path "transit/decrypt/auth-staff" { capabilities = ["update"] }

# The same for what is the application's own.
path "transit/keys/auth-application-*" {
  capabilities      = ["create", "update", "read"]
  denied_parameters = { "exportable" = [], "allow_plaintext_backup" = [] }
}
path "transit/encrypt/auth-application-*" { capabilities = ["update"] }
path "transit/decrypt/auth-application-*" { capabilities = ["update"] }

path "kv/data/auth/*" { capabilities = ["create", "update", "read"] }
# A client secret that was replaced is destroyed in every version that held it.
path "kv/metadata/auth/applications/*" { capabilities = ["read"] }
path "kv/destroy/auth/applications/*"  { capabilities = ["update"] }

path "pki/issue/auth" { capabilities = ["update"] }
