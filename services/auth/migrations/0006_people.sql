-- People: their roles, and what they sign in with. Whoever was here before roles were is an owner.

-- The vendor's staff belongs to no seller.
ALTER TABLE auth.users
    ADD COLUMN role text NOT NULL DEFAULT 'owner'
        CHECK (role IN ('owner', 'member', 'support', 'security', 'auditor')),
    ALTER COLUMN seller_id DROP NOT NULL,
    ADD CONSTRAINT users_staff_has_no_seller
        CHECK ((seller_id IS NULL) = (role IN ('support', 'security', 'auditor')));

-- Opened by an invitation: good for setting up a way in, and for nothing else.
ALTER TABLE auth.sessions ADD COLUMN needs_credential boolean NOT NULL DEFAULT true;
