"""The wire: gRPC servicers and the translation between protobuf and the daemon's values."""
