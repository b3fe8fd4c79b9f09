"""SQLite: reads in the event loop, changes that share commits."""
