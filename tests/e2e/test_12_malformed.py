"""Malformed requests on the whole stack; `python -m bench malformed` sends 100,000 of them."""

from bench.malformed.command import flood
from bench.malformed.show import Plan
from sallyport.demo.scene import Scene

REQUESTS = 1_000
SEED = 12


async def test_malformed_requests_leave_the_gateway_as_it_was_T09_R23(scene: Scene) -> None:
    assert await flood(scene, Plan(REQUESTS, SEED)) == []
