"""The REST face: thin routes over the same services."""
