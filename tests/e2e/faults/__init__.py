"""Ends daemon, extension and client at random moments under load, and checks what is left.

    python -m tests.e2e.faults --rounds 200         each 200 times in each way; JSON at the end

``extension`` and ``client`` are the load, ``journal`` is what they wrote down before they died,
``checker`` compares it with what the daemon has, ``world`` starts, ends and restarts.
"""
