"""A safety switch that is off stops the start, with a name."""

import asyncio
import sys

import pytest

import sallyport.environments
import sallyport.provision.database
from sallyport.layout import SERVICES
from sallyport.provision import SERVICES_WITH_STORE
from sallyport.stack import Stack

REFUSED = 2
ANY_PORT = {"SALLYPORT_LISTEN": "127.0.0.1:0", "SALLYPORT_PRIVATE_LISTEN": "127.0.0.1:0"}


async def _start(stack: Stack, service: str, **settings: str) -> tuple[int | None, str]:
    environ = sallyport.environments.of_service(service, stack.layout, stack.ground)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"services.{service}"),
        env={**environ, **ANY_PORT, **settings},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    return process.returncode, complaint.decode()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_without_tls_refuses_to_start_T24(stack: Stack, service: str) -> None:
    code, complaint = await _start(stack, service, SALLYPORT_TLS="off")
    assert (code, complaint.split(":")[1].strip()) == (REFUSED, "tls_required")


async def test_a_retention_over_thirty_days_refuses_to_start_R18(stack: Stack) -> None:
    code, complaint = await _start(stack, "retention", SALLYPORT_RETENTION_DAYS="31")
    assert (code, complaint.split(":")[1].strip()) == (REFUSED, "retention_ceiling_exceeded")


@pytest.mark.parametrize("service", SERVICES_WITH_STORE)
async def test_a_store_that_does_not_wait_for_the_disk_refuses_the_start_R03(
    stack: Stack, service: str
) -> None:
    await _set_synchronous_commit(stack, service, "off")
    try:
        code, complaint = await _start(stack, service)
    finally:
        await _set_synchronous_commit(stack, service, "on")
    assert (code, complaint.split(":")[1].strip()) == (REFUSED, "synchronous_commit_required")


async def _set_synchronous_commit(stack: Stack, role: str, value: str) -> None:
    superuser = sallyport.provision.database.signed_in(
        stack.ground.postgres, stack.ground.openbao, role="postgres"
    )
    async with superuser as connection:
        await connection.execute(f"ALTER ROLE {role} SET synchronous_commit = {value}")
