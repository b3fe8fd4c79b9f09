"""Claims about declarative state."""
