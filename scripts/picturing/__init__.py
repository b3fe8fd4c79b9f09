"""Take the pictures of the web console for README and docs."""
