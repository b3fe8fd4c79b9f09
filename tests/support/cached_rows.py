"""Questions whose answers contain cached rows, and what the tests about them share."""

from app.domain.viewer import ALL_PERMISSIONS, Viewer
from tests.oracle.worlds import Question

LIST = """{ resources(first: 50, orderBy: {field: NAME, direction: ASC}) { nodes {
    name type { name hasData } org { slug name }
    access { general { roles } groups { group { displayName slug } roles } } } } }"""

PEOPLE = """query ($first: Int) { users(first: 50) { nodes {
    userName roles { name isBuiltIn }
    orgs(first: $first) { totalCount nodes { slug name } pageInfo { hasNextPage hasPreviousPage } }
    groups { edges { isManager node { displayName } } }
    firstGroup: groups(first: 1) { totalCount pageInfo { hasNextPage } nodes { slug } } } } }"""

BESIDE = """query ($id: ID!) {
    resource(by: {id: $id}) { org { slug } type { name } access { groups { group { slug } } } }
    resources(first: 2) { nodes { org { __typename } } } }"""

QUESTIONS = [Question(LIST, {}), Question(PEOPLE, {}), Question(PEOPLE, {"first": 1})]

ADMIN = Viewer(1, ALL_PERMISSIONS)
