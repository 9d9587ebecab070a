"""Hosted extensions."""
