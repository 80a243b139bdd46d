"""Known exports: each preset says which files it reads and how they fill the tables of the contract.

`PRESETS` names those that read files of the user's, `INSTALLED` the data sets whose files come with a package. Each
module describes one product; read `preset.py` first, then `shopify.py`.
"""

from churnml.events.sources.presets.filling import OpenRows, preset_sources
from churnml.events.sources.presets.preset import Filling, Preset
from churnml.events.sources.presets.registry import INSTALLED, PRESETS

__all__ = ["INSTALLED", "PRESETS", "Filling", "OpenRows", "Preset", "preset_sources"]
