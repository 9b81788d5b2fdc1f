"""The gateway's values and rules: pure, no I/O, no clock; `now` is an argument.

One file per subject, e.g. `calls` (what comes in, goes out and travels on), `operations` (what the
catalogue says about one), `targets` (what a path and a query may look like), `policy` (who may call
what), `restrictions` (what a restricted handle is good for), `masking` (what is hidden), `quota`, `exchange`
(the call to Amazon and its answer), `orders` (what answers tell about orders), `audit`, `faults` (refusals in
Amazon's shape), `tripwire` (Amazon's secrets seen where they must not be), `circuit` (when a seller's calls
rest), `allowance` (how many refusals are told), `bounded_json`, `codings` (what was packed is opened). At the
other faces: `people` (who is in the portal, and what they see), `native` (sign-in for native applications),
`inputs` (forms, queries and JSON, read strictly), `token_faults` (refusals in OAuth's and LWA's shape).
"""
