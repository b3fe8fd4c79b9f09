"""What a server must refuse behind proxies that were set up in a hurry; see `scripts/proxies`."""
