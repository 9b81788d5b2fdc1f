"""The key service of one machine, started again: it serves, or it says why it does not and is gone."""

import json
from pathlib import Path

import pytest

from sallyport.engines.authority import Authority
from sallyport.engines.child import EngineFailed
from sallyport.engines.openbao import OpenBao
from tests.conftest import free_port

OTHER_KEYS = json.dumps({"unseal_key": "A" * 43 + "=", "root_token": "other"})
ADVICE = "put the right ones back, or begin anew"


@pytest.fixture
def new(tmp_path: Path) -> OpenBao:
    """A server that was never up."""
    return OpenBao(tmp_path / "openbao", port=free_port(), authority=Authority(tmp_path / "authority"))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The file with the server's keys."""
    return tmp_path / "openbao" / "keys.json"


def _swap(file: Path, text: str) -> str:
    """Return what a file held until now."""
    before = file.read_text()
    file.write_text(text)
    return before


def _write(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)


async def test_keys_that_open_nothing_are_named_and_the_right_ones_put_back_open_all(
    new: OpenBao, keys: Path
) -> None:
    async with new:
        pass
    right = _swap(keys, OTHER_KEYS)
    with pytest.raises(EngineFailed) as failed:
        await new.start()
    assert f"the keys in {keys} do not open what is stored (openbao answered 400: " in str(failed.value)
    assert ADVICE in str(failed.value)
    assert not any(secret in str(failed.value) for secret in json.loads(OTHER_KEYS).values())
    assert not new.server.is_running
    _swap(keys, right)
    async with new:
        assert "data" in await new.call("GET", "sys/mounts")


@pytest.mark.parametrize("kept", ["", "{}", "[1]", "\x00"])
async def test_a_file_without_keys_is_named(new: OpenBao, keys: Path, kept: str) -> None:
    _write(keys, kept)
    with pytest.raises(EngineFailed) as failed:
        await new.call("GET", "sys/mounts")
    assert f"the keys in {keys} are none; {ADVICE}" in str(failed.value)


async def test_keys_that_cannot_be_kept_are_told_and_the_next_start_begins_anew(
    new: OpenBao, tmp_path: Path
) -> None:
    in_the_way = tmp_path.joinpath("openbao", "keys.json.new")
    in_the_way.mkdir(parents=True)
    with pytest.raises(EngineFailed, match=r"keys\.json cannot be written: Is a directory"):
        await new.start()
    assert not new.server.is_running
    in_the_way.rmdir()
    async with new:
        assert "data" in await new.call("GET", "sys/mounts")


async def test_a_root_token_that_is_gone_is_told_to_whoever_calls(new: OpenBao, keys: Path) -> None:
    with pytest.raises(EngineFailed) as failed:
        await new.call("GET", "sys/mounts")
    assert f"the keys in {keys} cannot be read (No such file or directory); {ADVICE}" in str(failed.value)
