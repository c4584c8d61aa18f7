"""Whether a window can open here, and a sentence on what is missing where it cannot.

Qt ends the process with a core dump where its platform plugin cannot be loaded or the display cannot be reached, so both are
tried beforehand. `python -m flow_explorer.display` checks what the off-screen tests need.
"""

from __future__ import annotations

import ctypes
import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["missing_display", "missing_library", "package_of", "platform_plugin"]

HEADLESS = "flow-explorer sample, encode, decode, interpolate, score, train, evaluate and toy"

# The Debian and Ubuntu packages of what Qt's own libraries and its X11 plugin ask of the system.
PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libOpenGL.so.0": "libopengl0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinput.so.0": "libxcb-xinput0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}


def package_of(library: str) -> str:
    """The package that brings a shared library, as words for a sentence."""
    package = PACKAGES.get(library)
    return f"apt-get install {package}" if package else "the package of your system that brings it"


def missing_display(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str | None:
    """A sentence where there is no display to open a window on, else None."""
    if not platform.startswith(("linux", "freebsd")) or environ.get("QT_QPA_PLATFORM"):
        return None
    if environ.get("WAYLAND_DISPLAY"):
        return None
    display = environ.get("DISPLAY", "")
    if not display:
        return f"There is no display here to open a window on; these work without one: {HEADLESS}."
    if not _answers(display):
        return f"The display {display} does not answer, so no window can open; these work without one: {HEADLESS}."
    return None


def _answers(display: str) -> bool:
    """Whether an X server listens where DISPLAY points; a form that is not understood gets the benefit of the doubt."""
    match = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", display)
    if not match:
        return True
    path = f"/tmp/.X11-unix/X{match[1]}"
    addresses: list[tuple[int, str | tuple[str, int]]] = [(socket.AF_UNIX, path)]
    if sys.platform.startswith("linux"):
        addresses.append((socket.AF_UNIX, "\0" + path))
    addresses.append((socket.AF_INET, ("127.0.0.1", 6000 + int(match[1]))))
    for family, address in addresses:
        with socket.socket(family, socket.SOCK_STREAM) as link:
            link.settimeout(0.5)
            try:
                link.connect(address)
                return True
            except (OSError, OverflowError):
                continue
    return False


def platform_plugin(environ: Mapping[str, str] = os.environ) -> str | None:
    """The file name of the Qt plugin that will be asked to open the window, where that can be told."""
    chosen = environ.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0]
    if chosen:
        return f"libq{chosen}.so"
    if environ.get("WAYLAND_DISPLAY"):
        return None  # Qt tries Wayland, then X11
    return "libqxcb.so" if environ.get("DISPLAY") else None


def missing_library(plugin: str | None = None) -> str | None:
    """A sentence where Qt or one of its platform plugins cannot be loaded, naming the package; else None."""
    try:
        import PySide6.QtWidgets
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("PySide6"):
            return "PySide6 is not installed here: pip install PySide6-Essentials brings the window."
        return _explain(str(error))
    except ImportError as error:
        return _explain(str(error))
    if plugin and sys.platform.startswith("linux"):
        path = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / plugin
        try:
            if path.is_file():
                ctypes.CDLL(str(path))
        except OSError as error:
            return _explain(str(error))
    return None


def _explain(message: str) -> str:
    match = re.match(r"(lib[\w+.-]+\.so[\w.]*): cannot open shared object file", message)
    if match:
        return f"Qt needs the system library {match[1]}, which is missing here: {package_of(match[1])}."
    return f"Qt cannot be loaded here ({message})."


def main() -> int:
    """Check what the off-screen tests of the window need, for `make test`."""
    sentence = missing_library("libqoffscreen.so")
    if sentence:
        print(sentence, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
