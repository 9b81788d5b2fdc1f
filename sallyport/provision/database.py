"""What the services find in Postgres: one database, one schema and one role each, up-to-date tables.

- `sallyport_owner` owns the schemas and runs the migrations, which grant each service's role what it needs.
- A service's role may log in and use its schema; tables it may touch only as the migrations say.
- The superuser does what only a superuser can, at provisioning only; its certificate lives for minutes.
"""

import importlib.resources
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import chassis.crypto.tls
import chassis.db
import chassis.secrecy
import sallyport.engines.openbao
import sallyport.engines.postgres
import sallyport.provision
import sallyport.provision.handout

CERTIFICATE_LIFE = "10m"
ROLE_CONNECTIONS_MAX = 40

SERVICE_ROLE = f"LOGIN CONNECTION LIMIT {ROLE_CONNECTIONS_MAX}"
ROLES = {
    sallyport.provision.OWNER: "LOGIN",
    **dict.fromkeys(sallyport.provision.SERVICES_WITH_STORE, SERVICE_ROLE),
}


async def provision(
    postgres: sallyport.engines.postgres.Postgres, openbao: sallyport.engines.openbao.OpenBao
) -> list[str]:
    """Make what is missing, and return the migrations applied now as `service/name`.

    Args:
        postgres: started, and trusting the authority that `key_service.provision` returned.
        openbao: started and provisioned; issues the certificates to sign in with.

    Raises:
        StartRefused: a migration does not fit what ran before.
        StoreUnavailable: Postgres cannot answer.
    """
    async with signed_in(postgres, openbao, role="postgres", database="postgres") as connection:
        await _roles_and_database(connection)
    async with signed_in(postgres, openbao, role="postgres") as connection:
        await _schemas(connection)
    async with signed_in(postgres, openbao, role=sallyport.provision.OWNER) as connection:
        return await _migrate(connection)


@asynccontextmanager
async def signed_in(
    postgres: sallyport.engines.postgres.Postgres,
    openbao: sallyport.engines.openbao.OpenBao,
    *,
    role: str,
    database: str = sallyport.provision.DATABASE,
) -> AsyncIterator[chassis.db.Connection]:
    """Give a connection as the owner or the superuser.

    Raises:
        StoreUnavailable: Postgres cannot answer.
    """
    answer = await openbao.call(
        "POST",
        f"pki/issue/{role}",
        {"common_name": role, "exclude_cn_from_sans": True, "ttl": CERTIFICATE_LIFE},
    )
    issued = answer["data"]
    certificate = chassis.crypto.tls.parse(
        issued["certificate"].encode("ascii"),
        chassis.secrecy.Secret(issued["private_key"].encode("ascii")),
        issued["issuing_ca"].encode("ascii"),
    )
    config = sallyport.provision.handout.database_config(postgres, database)
    connection = await chassis.db.connect(config, role, certificate)
    try:
        yield connection
    finally:
        await connection.close()


async def _roles_and_database(connection: chassis.db.Connection) -> None:
    """Make the roles and the database. Every word in these statements is one of our constants."""
    for role, options in ROLES.items():
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"CREATE ROLE {role}")
        await connection.execute(f"ALTER ROLE {role} WITH NOSUPERUSER NOCREATEDB NOCREATEROLE {options}")
    name, owner = sallyport.provision.DATABASE, sallyport.provision.OWNER
    if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        await connection.execute(f"CREATE DATABASE {name} OWNER {owner}")
    for database in (name, "postgres", "template1"):
        await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    for role in ROLES:
        await connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {role}")


async def _schemas(connection: chassis.db.Connection) -> None:
    await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for service in sallyport.provision.SERVICES_WITH_STORE:
        await connection.execute(
            f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {sallyport.provision.OWNER}"
        )
        await connection.execute(f"GRANT USAGE ON SCHEMA {service} TO {service}")
        await connection.execute(f"ALTER ROLE {service} SET search_path TO {service}")


async def _migrate(connection: chassis.db.Connection) -> list[str]:
    applied = []
    for service in sallyport.provision.SERVICES_WITH_STORE:
        folder = Path(str(importlib.resources.files("services"))) / service / "migrations"
        applied += [f"{service}/{name}" for name in await chassis.db.migrate(connection, service, folder)]
    return applied
