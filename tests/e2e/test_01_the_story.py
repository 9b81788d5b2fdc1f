"""The main job, as `sallyport demo` tells it."""

from sallyport.demo.scene import Scene
from sallyport.demo.story import STORY


async def test_an_order_travels_from_consent_to_proven_erasure(scene: Scene) -> None:
    proofs = [await step.take(scene) for step in STORY]
    assert len(proofs) == 7
    assert all(proofs)
