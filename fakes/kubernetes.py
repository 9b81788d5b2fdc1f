"""The one corner of a Kubernetes API that a key service asks: whose service account token is this?

Tokens are real signed JWTs; one that was revoked, has expired or is another cluster's is answered as a
cluster answers. Source: Kubernetes, authentication.k8s.io/v1, TokenReview.
"""

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

import chassis.crypto.tls
from fakes.certificates import Authority

ISSUER = "https://kubernetes.default.svc"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
ALGORITHM = "ES256"
TOKEN_LIFE_S = 3_600.0


class FakeCluster:
    """Knows its service accounts' tokens; `url` is set while it serves."""

    def __init__(self) -> None:
        self.authority = Authority("Cluster")
        self.url = ""
        self.reviews = 0
        self._key = ECKey.generate_key("P-256")
        self._revoked: set[str] = set()

    def token(self, account: str, *, namespace: str = "sallyport", life_s: float = TOKEN_LIFE_S) -> str:
        """Return a token as a pod finds it in its volume."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": f"system:serviceaccount:{namespace}:{account}",
            "aud": [ISSUER],
            "iat": now,
            "nbf": now,
            "exp": now + int(life_s),
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {
                "namespace": namespace,
                "serviceaccount": {"name": account, "uid": str(uuid.uuid5(uuid.NAMESPACE_DNS, account))},
            },
        }
        return jwt.encode({"alg": ALGORITHM}, claims, self._key)

    def revoke(self, token: str) -> None:
        """Forget a token, as when its pod or its service account is deleted."""
        self._revoked.add(token)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["FakeCluster"]:
        """Listen on loopback, over TLS."""
        application = web.Application()
        application.router.add_post(REVIEWS, self._review)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        tls = chassis.crypto.tls.public_context(self.authority.issue("localhost"))
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        host, port = runner.addresses[0][:2]
        assert host
        self.url = f"https://localhost:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _review(self, request: web.Request) -> web.Response:
        self.reviews += 1
        shown = (await request.json())["spec"]["token"]
        review = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "status": self._status(shown),
        }
        return web.json_response(review, status=201)

    def _status(self, shown: str) -> dict[str, object]:
        try:
            claims = jwt.decode(shown, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            return {"authenticated": False, "error": "invalid bearer token"}
        if shown in self._revoked or claims["exp"] <= time.time():
            return {"authenticated": False, "error": "token is no longer valid"}
        account = claims["kubernetes.io"]["serviceaccount"]
        user = {"username": claims["sub"], "uid": account["uid"], "groups": ["system:serviceaccounts"]}
        return {"authenticated": True, "user": user, "audiences": claims["aud"]}
