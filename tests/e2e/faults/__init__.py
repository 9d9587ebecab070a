"""Kills daemon, extension and client at random moments under load, and checks what is left.

    python -m tests.e2e.faults --rounds 200         all three, 200 times each; JSON at the end

``extension`` and ``client`` are the load, ``journal`` is what they wrote down before they died,
``checker`` compares it with what the daemon has, ``world`` starts, kills and restarts.
"""
