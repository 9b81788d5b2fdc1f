"""The command line of a service: nothing but `--help`, which tells what its environment must hold."""

import argparse
from collections.abc import Sequence

from chassis.env import Setting


def read(name: str, settings: Sequence[Setting]) -> None:
    """Return when there is nothing on the command line.

    Args:
        name: the service's name.
        settings: every key of its environment.

    Raises:
        SystemExit: 0 after `--help`, 2 after anything else, which is not repeated: it may be a secret.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{name}",
        description=f"Runs {name} until a signal ends it. All that it is told stands in its environment.",
        epilog="\n".join(["environment:", *map(_told, settings)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _, unknown = parser.parse_known_args()
    if unknown:
        parser.error("it takes no arguments; set its environment instead, see --help")


def _told(setting: Setting) -> str:
    default = {None: "required", "": "empty by default"}.get(setting.default, f"default {setting.default}")
    return f"  {setting.name}\n      {setting.text} ({default})"
