"""Compiles the modules of the packet path with Cython, where a C compiler is available.

The modules are plain Python and also run without being compiled. A `.pxd` file beside each of them has its C types. If
compiling fails, a message says so and the build continues. `python hatch_build.py` compiles in place, for development.

Does not build the page (`make page` does). A message says so if a wheel or source distribution will lack the page.
"""

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TOP = Path(__file__).parent
MODULES = tuple(str(types.relative_to(TOP).with_suffix("")) for types in sorted(TOP.glob("[rz]*/**/*.pxd")))
"""The modules that are compiled: those with C types. Nothing else lists them."""
PAGE = TOP / "resolver/dashboard/assets/manifest.json"


def compiled() -> list[str]:
    """Compile in place. Return the compiled files; none when compiling is not possible."""
    try:
        from Cython.Build import cythonize
        from setuptools import Distribution, Extension
        from setuptools.command.build_ext import build_ext

        # -O3, the default, takes three times as long to compile, and its code is not faster.
        flags = [] if "CFLAGS" in os.environ else ["-O1", "-g0"]
        extensions = [
            Extension(module.replace("/", "."), [f"{module}.py"], extra_compile_args=flags) for module in MODULES
        ]
        modules = cythonize(
            extensions, build_dir="build/cython", language_level=3, quiet=True, include_path=[str(TOP)], force=True,
            compiler_directives={"annotation_typing": False, "auto_pickle": False},
        )  # fmt: skip
        command = build_ext(Distribution({"ext_modules": modules}))
        command.inplace, command.build_temp, command.parallel = True, f"build/{sys.implementation.cache_tag}", True
        command.finalize_options()
        command.run()
    except Exception as error:  # for example a missing compiler, missing headers, or no Cython
        print(f"not compiled, so pldns will be slower: {error}", file=sys.stderr)  # noqa: T201
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    return [f"{module}{suffix}" for module in MODULES if (TOP / f"{module}{suffix}").exists()]


class Build(BuildHookInterface):
    """The hook that hatchling calls when it builds a wheel or a source distribution."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the compiled files to a wheel, which is then specific to this platform."""
        if version == "editable":
            return
        if not PAGE.exists():
            lacks = "the page is not built, so this package lacks it: run `make page` first, which needs npm"
            print(lacks, file=sys.stderr)  # noqa: T201
        files = compiled() if self.target_name == "wheel" else []
        if files:
            build_data["artifacts"] += files
            build_data["pure_python"], build_data["infer_tag"] = False, True


if __name__ == "__main__":
    compiled()
