"""The engine as Python sees it: threads, buffers and callbacks that misbehave."""
