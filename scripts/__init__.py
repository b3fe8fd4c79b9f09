"""Programs for developers; each file without a suffix is a command."""
