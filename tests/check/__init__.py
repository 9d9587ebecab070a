"""The conformance run, held against extensions that are right and wrong in known ways."""
