"""What an operator learns of a running server: facts about each request, the lines of the log, and counters."""
