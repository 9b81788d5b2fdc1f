"""Both ways to be known to the key service, against OpenBao itself: first log-in, a dead token, a refusal.

The Kubernetes side is a small cluster that speaks TokenReview; OpenBao's own method asks it.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

import chassis.clock
import chassis.env
import chassis.errors
import chassis.vault
import sallyport.engines.openbao
import sallyport.provision.ground
import sallyport.provision.handout
from fakes.kubernetes import FakeCluster

MOUNT = "kubernetes-test"
ACCOUNT, ROLE = "auth", "auth"
NAMESPACE = "vendor"


@pytest.fixture
async def cluster(openbao: sallyport.engines.openbao.OpenBao) -> AsyncIterator[FakeCluster]:
    """A cluster whose service account `auth` may log in as the role `auth`."""
    async with FakeCluster().serve() as cluster:
        await openbao.call("POST", f"sys/auth/{MOUNT}", {"type": "kubernetes"})
        settings = {
            "kubernetes_host": cluster.url,
            "kubernetes_ca_cert": cluster.authority.ca_pem.decode("ascii"),
            "token_reviewer_jwt": cluster.token("reviewer"),
        }
        await openbao.call("POST", f"auth/{MOUNT}/config", settings)
        role = {
            "bound_service_account_names": [ACCOUNT],
            "bound_service_account_namespaces": ["sallyport"],
            "token_policies": ["auth", "token"],
            "token_no_default_policy": True,
            "token_ttl": "20m",
        }
        await openbao.call("POST", f"auth/{MOUNT}/role/{ROLE}", role)
        yield cluster
        await openbao.call("DELETE", f"sys/auth/{MOUNT}")


@pytest.fixture
def approle(ground: sallyport.provision.ground.Ground) -> chassis.env.VaultConfig:
    return sallyport.provision.handout.vault_config(ground.openbao, ground.folder, "auth")


@pytest.fixture
def kubernetes(
    approle: chassis.env.VaultConfig, cluster: FakeCluster, tmp_path: Path
) -> chassis.env.VaultConfig:
    token_file = tmp_path / "token"
    token_file.write_text(cluster.token(ACCOUNT))
    login = chassis.env.ServiceAccount(role=ROLE, token_file=token_file)
    return replace(approle, login=login, mount=MOUNT)


@pytest.fixture(params=["approle", "kubernetes"])
def config(request: pytest.FixtureRequest) -> chassis.env.VaultConfig:
    chosen: chassis.env.VaultConfig = request.getfixturevalue(request.param)
    return chosen


async def connect(config: chassis.env.VaultConfig) -> chassis.vault.Vault:
    return await chassis.vault.connect(config, chassis.clock.SystemClock())


async def kill_token(vault: chassis.vault.Vault) -> None:
    await vault._session.ask("write_data", "auth/token/revoke-self", {})


async def test_whoever_is_logged_in_may_do_what_its_policy_says(config: chassis.env.VaultConfig) -> None:
    async with await connect(config) as vault:
        await vault.kv_write("auth/applications/logins", {"client_id": "c"})
        assert await vault.kv_read("auth/applications/logins") == {"client_id": "c"}
        with pytest.raises(chassis.vault.KeyAccessDenied):
            await vault.kv_read("telemetry/anything")


async def test_a_token_that_died_is_replaced_by_logging_in_again_R06(config: chassis.env.VaultConfig) -> None:
    async with await connect(config) as vault:
        await kill_token(vault)
        assert not await vault.transit_exists("auth-seller-logins")


async def test_a_file_that_is_not_there_yet_is_waited_for(config: chassis.env.VaultConfig) -> None:
    login = config.login
    is_account = isinstance(login, chassis.env.ServiceAccount)
    file = login.token_file if isinstance(login, chassis.env.ServiceAccount) else login.secret_id_file
    away = file.with_name(file.name + ".away")
    file.rename(away)

    class Clock(chassis.clock.SystemClock):
        async def sleep(self, delay_s: float) -> None:
            assert delay_s > 0
            with suppress(FileNotFoundError):
                away.rename(file)

    async with await chassis.vault.connect(config, Clock()) as vault:
        assert not await vault.transit_exists(f"auth-seller-{is_account}")


async def test_a_pod_that_was_never_allowed_refuses_to_start_T19(
    kubernetes: chassis.env.VaultConfig, cluster: FakeCluster
) -> None:
    assert isinstance(kubernetes.login, chassis.env.ServiceAccount)
    foreign = {
        "another account": cluster.token("gateway"),
        "another namespace": cluster.token(ACCOUNT, namespace="elsewhere"),
        "another cluster": FakeCluster().token(ACCOUNT),
        "expired": cluster.token(ACCOUNT, life_s=-5),
        "no token": "not a token",
    }
    for shown in foreign.values():
        kubernetes.login.token_file.write_text(shown)
        with pytest.raises(chassis.errors.StartRefused) as caught:
            await connect(kubernetes)
        assert caught.value.code == "key_service_login_refused"
        assert "service account's token" in caught.value.text
        assert shown not in str(caught.value)


async def test_a_service_account_that_was_revoked_serves_nothing_until_its_file_is_renewed_R06(
    kubernetes: chassis.env.VaultConfig, cluster: FakeCluster
) -> None:
    assert isinstance(kubernetes.login, chassis.env.ServiceAccount)
    file = kubernetes.login.token_file
    async with await connect(kubernetes) as vault:
        cluster.revoke(file.read_text())
        await kill_token(vault)
        with pytest.raises(chassis.vault.KeyServiceUnavailable):
            await vault.transit_exists("auth-seller-logins")
        file.write_text(cluster.token(ACCOUNT))
        assert not await vault.transit_exists("auth-seller-logins")


async def test_keys_of_a_namespace_are_apart_from_all_others_T07(
    approle: chassis.env.VaultConfig, openbao: sallyport.engines.openbao.OpenBao, tmp_path: Path
) -> None:
    await openbao.call("POST", f"sys/namespaces/{NAMESPACE}", {})
    await openbao.call("POST", f"{NAMESPACE}/sys/mounts/transit", {"type": "transit"})
    rules = 'path "transit/*" { capabilities = ["create", "update", "read"] }'
    await openbao.call("PUT", f"{NAMESPACE}/sys/policies/acl/auth", {"policy": rules})
    await openbao.call("POST", f"{NAMESPACE}/sys/auth/approle", {"type": "approle"})
    role = f"{NAMESPACE}/auth/approle/role/auth"
    await openbao.call("POST", role, {"token_policies": ["auth"]})
    files = chassis.env.AppRole(role_id_file=tmp_path / "role_id", secret_id_file=tmp_path / "secret_id")
    files.role_id_file.write_text((await openbao.call("GET", f"{role}/role-id"))["data"]["role_id"])
    files.secret_id_file.write_text(
        (await openbao.call("POST", f"{role}/secret-id", {}))["data"]["secret_id"]
    )
    key = "auth-seller-namespaced"
    async with (
        await connect(approle) as root,
        await connect(replace(approle, login=files, namespace=NAMESPACE)) as vendors,
    ):
        await vendors.transit_create(key)
        sealed = await vendors.transit_seal(key, b"token", b"place")
        assert not await root.transit_exists(key)
        with pytest.raises(chassis.vault.KeyGone):
            await root.transit_open(key, sealed, b"place")
    await openbao.call("DELETE", f"sys/namespaces/{NAMESPACE}")
