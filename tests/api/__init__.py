"""The package that daemon, SDK and clients share."""
