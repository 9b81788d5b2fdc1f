"""The ground under the services: made once, found again, and gone with whoever opened it."""

import asyncio
import os
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

import chassis.db
import sallyport.engines.authority
import sallyport.engines.child
import sallyport.provision
import sallyport.provision.database
import sallyport.provision.ground
import sallyport.provision.handout
import sallyport.provision.key_service
import sallyport.stack
from sallyport.layout import Layout
from tests.conftest import free_port
from tests.integration.sallyport import console

IDENTITIES = (*sallyport.provision.IDENTITIES, sallyport.provision.VERIFIER)


@pytest.fixture
def root() -> Iterator[Path]:
    """A state folder in a folder that only its owner may pass."""
    with tempfile.TemporaryDirectory(prefix="sallyport-test-") as folder:
        state = Path(folder) / "state"
        state.mkdir(mode=0o711)
        yield state


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _log_ins(ground: sallyport.provision.ground.Ground) -> dict[str, bytes]:
    return {identity: ground.folder.secret_id_file(identity).read_bytes() for identity in IDENTITIES}


async def test_state_folder_is_found_again_after_both_engines_were_killed_R12(root: Path) -> None:
    ports = {"postgres_port": free_port(), "vault_port": free_port()}
    async with sallyport.provision.ground.open_ground(root, **ports) as ground:
        log_ins = _log_ins(ground)
        ca_pem = ground.folder.services_ca_file.read_bytes()
        async with _owner(ground) as owner:
            await owner.execute("CREATE TABLE auth.kept AS SELECT 7 AS number")
        ground.postgres.server.kill()
        ground.openbao.server.kill()
    async with sallyport.provision.ground.open_ground(root, **ports) as ground:
        assert _log_ins(ground) == log_ins
        assert ground.folder.services_ca_file.read_bytes() == ca_pem
        async with _owner(ground) as owner:
            assert await owner.fetchval("SELECT number FROM auth.kept") == 7


def _owner(
    ground: sallyport.provision.ground.Ground,
) -> AbstractAsyncContextManager[chassis.db.Connection]:
    return sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, role=sallyport.provision.OWNER
    )


async def test_provisioning_again_changes_nothing(ground: sallyport.provision.ground.Ground) -> None:
    before = _log_ins(ground)
    ca_pem = await sallyport.provision.key_service.provision(ground.openbao, ground.folder)
    assert ca_pem == ground.folder.services_ca_file.read_bytes()
    assert await sallyport.provision.database.provision(ground.postgres, ground.openbao) == []
    assert before == {
        identity: ground.folder.secret_id_file(identity).read_bytes() for identity in IDENTITIES
    }


async def test_lost_secret_id_is_handed_out_anew(ground: sallyport.provision.ground.Ground) -> None:
    file = ground.folder.secret_id_file("console")
    before = file.read_bytes()
    file.unlink()
    await sallyport.provision.key_service.provision(ground.openbao, ground.folder)
    assert file.read_bytes() != before


@pytest.mark.parametrize("identity", IDENTITIES)
def test_log_ins_are_their_owners_only_T28(ground: sallyport.provision.ground.Ground, identity: str) -> None:
    for file in (ground.folder.role_id_file(identity), ground.folder.secret_id_file(identity)):
        assert _mode(file) == 0o600
        assert _mode(file.parent) == 0o700


def test_engines_keys_are_their_owners_only_T28(ground: sallyport.provision.ground.Ground) -> None:
    secret = ["authority/ca.key", "openbao/keys.json", "openbao/tls/server.key", "postgres/tls/server.key"]
    assert {_mode(ground.folder.root / name) for name in secret} == {0o600}
    assert _mode(ground.folder.root / "postgres" / "data") == 0o700
    assert _mode(ground.folder.root / "postgres" / "socket") == 0o700


async def test_engine_that_dies_early_is_reported_with_its_last_words(root: Path) -> None:
    program = sallyport.engines.child.Program(
        command=[sys.executable, "-c", "import sys; sys.exit('no disk')"], environ={}
    )
    with pytest.raises(sallyport.engines.child.EngineFailed, match="no disk"):
        await sallyport.engines.child.run(program, root / "engine.log", limit_s=30.0)


async def test_an_engine_whose_program_is_not_there_is_told_in_a_line(root: Path) -> None:
    missing = root / "bao"
    program = sallyport.engines.child.Program(command=[str(missing)], environ={})
    with pytest.raises(sallyport.engines.child.EngineFailed) as failed:
        await sallyport.engines.child.run(program, root / "engine.log", limit_s=30.0)
    assert str(failed.value) == f"bao ended with 1: {missing}: No such file or directory\n"


@pytest.mark.parametrize("kept", ["", "{}", '{"applications": []}', "[7]"])
def test_a_damaged_file_of_applications_is_named(root: Path, kept: str) -> None:
    layout = Layout(root)
    layout.amazon_folder.mkdir()
    layout.applications_file.write_text(kept)
    with pytest.raises(OSError, match="names no application") as refused:
        sallyport.stack.made_up_application(layout)
    assert refused.value.filename == str(layout.applications_file)


def test_a_damaged_key_of_the_authority_is_named(root: Path) -> None:
    sallyport.engines.authority.Authority(root)
    (root / "ca.key").write_text("no key")
    with pytest.raises(OSError, match="not a private key") as refused:
        sallyport.engines.authority.Authority(root)
    assert refused.value.filename == str(root / "ca.key")


async def test_engine_does_not_outlive_a_killed_console_R12(root: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", console.__name__, str(root / "engine.log")), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    engine_pid = int(await process.stdout.readline())
    engine = os.pidfd_open(engine_pid)
    try:
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await _ended(engine)
    finally:
        os.close(engine)


async def _ended(pidfd: int) -> None:
    """Return once the process has ended."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(pidfd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(pidfd)
