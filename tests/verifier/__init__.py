"""Programs that judge verifiers: loops, and unsafe programs with their safe twins."""
