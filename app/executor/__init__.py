"""How a document is understood, for both executors, and how one of them answers it: by a plan."""
