"""What auth knows: values, states and rules. Pure: no I/O, no clock; `now` is an argument.

    Seller ── User ── Session          people
       │  └── Consent (per region)     what Amazon granted, with the lease on its access token
       └───── Device ── tokens         one enrolled desktop; its tokens are one family

A value that storage holds sealed ends in `_sealed`; a token is known by its keyed digest only.
"""
