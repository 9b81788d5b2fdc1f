"""The gateway's values and rules: pure, no I/O, no clock; `now` is an argument.

One file per subject: `calls` (what comes in, goes out and travels on), `operations` (what the
catalogue says about an operation), `targets` (what a path and a query may look like), `regions`,
`policy` (what may be seen), `quota`, `orders` (what answers tell about orders), `audit`, `faults`
(refusals in Amazon's shape), `tripwire` (Amazon's secrets seen where they must not be).
"""
