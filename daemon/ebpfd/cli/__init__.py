"""The commands: ``ebpfd`` runs the daemon, ``ebpfctl`` talks to it through the SDK."""
