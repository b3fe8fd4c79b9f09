"""The web console: its addresses, its pages, and the files of its build in `app/console/dist`."""

from app.http.console.build import Build
from app.http.console.routes import graphiql, routes
