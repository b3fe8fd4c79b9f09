"""Fast paths around uvicorn and Starlette, bound to the version of uvicorn."""
