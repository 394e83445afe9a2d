"""Settings of all tests.

Models in tests are tiny, and pytest runs a process per core.  Threads of torch that wait for each other on busy cores
made some tests ten times slower.  So torch gets one thread, here and in all processes that tests start.

Nothing fails because a machine is slow: Hypothesis has no deadline, and may take its time to draw examples.
"""

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported
settings.register_profile("corpusmill", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("corpusmill")
