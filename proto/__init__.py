"""The contracts between services: the .proto files, the stub generator and the breaking-change check."""
