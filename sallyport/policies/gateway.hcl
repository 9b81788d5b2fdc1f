# The gateway holds no key over anybody's data and no secret of Amazon's: it may get its own certificates,
path "pki/issue/gateway" { capabilities = ["update"] }
path "pki/issue/public"  { capabilities = ["update"] }

# and make, once, and read the keys by which its replicas know each other's DPoP nonces, links to documents and
# fingerprints of ids; never replace them.
path "kv/data/gateway/nonce-key"    { capabilities = ["create", "read"] }
path "kv/data/gateway/document-key" { capabilities = ["create", "read"] }
path "kv/data/gateway/home-key"     { capabilities = ["create", "read"] }
