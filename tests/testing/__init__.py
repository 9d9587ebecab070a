"""The test kit for authors, used as its users use it."""
