"""What can be done: a function does one thing for a viewer, inside a transaction that its caller opened."""
