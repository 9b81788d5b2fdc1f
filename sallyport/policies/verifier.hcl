# The verifier tries to open what must be gone, and is the only one who can say so under its signature.
path "transit/keys/retention-*"           { capabilities = ["read"] }
path "transit/decrypt/retention-seller-*" { capabilities = ["update"] }
path "transit/decrypt/retention-day-*"    { capabilities = ["update"] }
path "transit/sign/retention-receipt"     { capabilities = ["update"] }
