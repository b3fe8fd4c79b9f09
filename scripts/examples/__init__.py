"""Programs that show how others work together with Ostiary."""
