"""Claims about Ostiary, asked at the front door, on SQLite and on PostgreSQL."""
