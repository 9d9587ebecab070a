"""The sample extension of eBPF for Windows, under the same GUIDs, helpers and layout."""
