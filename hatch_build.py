"""Compiles the modules that nearly every packet passes through, where there is a compiler.

Each is plain Python that runs as it is, and has a `.pxd` file beside it with the C types for Cython. What cannot be
compiled is left as it is, with a line that says so. `python hatch_build.py` compiles in place, for development.
"""

import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULES = ("resolver/worker/net/mmsg", "resolver/worker/net/packet_cache")
TOP = Path(__file__).parent


def compiled() -> list[str]:
    """Compile in place; the files that there are now, none where that is not possible."""
    try:
        from Cython.Build import cythonize
        from setuptools import Distribution, Extension
        from setuptools.command.build_ext import build_ext

        extensions = [Extension(module.replace("/", "."), [f"{module}.py"]) for module in MODULES]
        modules = cythonize(
            extensions, build_dir="build/cython", language_level=3, quiet=True, include_path=[str(TOP)], force=True,
            compiler_directives={"annotation_typing": False},
        )  # fmt: skip
        command = build_ext(Distribution({"ext_modules": modules}))
        command.inplace, command.build_temp = True, "build/cython"
        command.finalize_options()
        command.run()
    except Exception as error:  # whatever it is: a missing compiler, headers, or Cython itself
        print(f"not compiled, and slower by that: {error}", file=sys.stderr)  # noqa: T201
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    return [f"{module}{suffix}" for module in MODULES if (TOP / f"{module}{suffix}").exists()]


class Compile(BuildHookInterface):
    """What the build of a wheel calls."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add what was compiled to the wheel, which is one for this platform then."""
        files = compiled() if version != "editable" else []
        if files:
            build_data["artifacts"] += files
            build_data["pure_python"], build_data["infer_tag"] = False, True


if __name__ == "__main__":
    compiled()
