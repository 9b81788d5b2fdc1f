"""What people do first: connect the seller's account at Amazon, enrol the desktops."""

from sallyport.demo.scene import Scene, StepFailed


async def connect_a_seller(scene: Scene) -> str:
    """Sign in by invitation, consent at Amazon, come back connected."""
    await scene.come_in()
    connect = await scene.open("/portal/connect")
    consent = await scene.submit(connect, "/portal/connect", marketplace_id=scene.marketplace_id)
    home = await scene.submit(consent, "/apps/authorize/consent", seller_id=scene.account["seller_id"])
    if ">active<" not in home.text:
        raise StepFailed(f"the portal shows no active connection ({home.status} {home.reason})")
    given = [consent for consent in await scene.amazon.consents() if consent["is_in_force"]]
    mine = [consent for consent in given if consent["seller_id"] == scene.account["seller_id"]]
    if not mine:
        raise StepFailed("Amazon knows of no consent")
    return f"consent in force at Amazon for {scene.account['name']}; one state used, one code exchanged"


async def enrol_the_desktops(scene: Scene) -> str:
    """Enrol a bound desktop and two programs; the vendor lets two of the three see personal data."""
    await scene.desktop.enrol(scene.browser, "Anna's laptop")
    scene.desktop_id = await scene.newest_device()
    scene.trusted = await scene.enrol_program("Packing station")
    scene.untrusted = await scene.enrol_program("Stock planner")
    for device_id in (scene.desktop_id, scene.trusted.device_id):
        await scene.allow(device_id)
    return "one bound (PKCE, DPoP), two compat (LWA-shaped); scope `pii` for two by the vendor's decision"
