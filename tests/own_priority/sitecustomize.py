"""Every Python that has this folder on its path keeps its priority, and with it the workers of a server.

They go behind everything else on their machine; among tests on a busy one they would hardly go on at all.
"""

import os

os.nice = lambda _increment: 0
