"""Records by id without the application around them: ready-made JSON in a file that all processes map into memory.

In comes a key and an id, out goes what the route would have answered, byte for byte. Read `path.py` first, then
`front.py`, which answers at once where nothing has to be waited for; `keeper.py` tells how what was committed a moment
ago is seen at once, `snapshot.py` what the file is, `building.py` how it is made.
"""

from churnml.service.hot.front import Front
from churnml.service.hot.keeper import Keeper
from churnml.service.hot.path import HotPath

__all__ = ["Front", "HotPath", "Keeper"]
