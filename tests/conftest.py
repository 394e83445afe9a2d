"""Settings of all tests.

Models in tests are tiny, and pytest runs a process per core.  Threads of torch that wait for each other on busy cores
made some tests ten times slower.  So torch gets one thread, here and in all processes that tests start.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported
