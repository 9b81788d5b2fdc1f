"""The desktops' wire, and who called Amazon."""

import re

from sallyport.demo.scene import Scene, StepFailed

AMAZON_TRACES = re.compile(
    rb"Atza\||Atzr\||Atz\.sprdt\||Atza%7C|Atzr%7C|amzn1\.oa2-cs\.|X-Amz-Signature|sellingpartnerapi-[a-z]{2}\.amazon"
)


async def look_at_the_wire(scene: Scene) -> str:
    """Look for anything of Amazon's in all that the desktops' side saw, and at who called Amazon."""
    captured = scene.wiretap.captured()
    found = AMAZON_TRACES.search(captured)
    if found or scene.stack.application.client_secret.encode() in captured:
        raise StepFailed("the desktop's wire holds something of Amazon's")
    calls = await scene.amazon.calls()
    strangers = [call for call in calls if not _is_ours(call)]
    if strangers:
        raise StepFailed(f"Amazon was called by someone else: {strangers[0]['path']}")
    return f"{len(captured):,} bytes of the desktops hold no trace; all {len(calls)} calls to Amazon are ours"


def _is_ours(call: dict[str, object]) -> bool:
    agent = str(call.get("user_agent", ""))
    return agent.startswith("Sallyport/") or str(call["path"]).startswith("/apps/authorize/")
