"""A state folder as `sallyport run` leaves it, of a stack that is not up."""

from pathlib import Path

from sallyport.access import SETTINGS_FILE

FILES = ("SALLYPORT_VAULT_CA_FILE", "SALLYPORT_VAULT_ROLE_ID_FILE", "SALLYPORT_VAULT_SECRET_ID_FILE")
SERVICES = ("SALLYPORT_AUTH_ADDRESS", "SALLYPORT_RETENTION_ADDRESS", "SALLYPORT_TELEMETRY_ADDRESS")


def state_folder(folder: Path) -> Path:
    """Return a folder with the settings in it; nobody listens where they point."""
    values = {
        **{name: str(folder / name) for name in FILES},
        **dict.fromkeys(SERVICES, "127.0.0.1:1"),
        "SALLYPORT_VAULT_ADDRESS": "https://127.0.0.1:1",
        "SALLYPORT_VAULT_PKI_ROLE": "console",
    }
    (folder / SETTINGS_FILE).write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return folder
