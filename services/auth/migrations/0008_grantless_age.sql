-- When the application's own token was written, by the database's clock, as with a seller's.
ALTER TABLE auth.grantless_leases ADD COLUMN settled_at timestamptz;

GRANT UPDATE (settled_at) ON auth.grantless_leases TO auth;
