"""What the daemon has counted, as a page that Prometheus reads.

Nothing is counted for it: a scrape reads what the engine counts anyway.
"""
