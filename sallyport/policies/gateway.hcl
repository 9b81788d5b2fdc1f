# The gateway holds no key and no secret: it may only get its own certificates.
path "pki/issue/gateway" { capabilities = ["update"] }
path "pki/issue/public"  { capabilities = ["update"] }
