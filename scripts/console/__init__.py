"""Build and check the web console of app/console with Node.js."""
