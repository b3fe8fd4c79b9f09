"""Terms of the domain without any I/O: errors, viewers, roles, references."""
