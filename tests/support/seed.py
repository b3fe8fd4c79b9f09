"""The calls of the documented API's guide, in its order and its words, each under its heading and with its answer."""

TEXT = r"""
Creating Users

curl -X POST http://localhost:5000/users \
-H "Authorization: Bearer <admin-token>" \
-H "Content-Type: application/json" \
-d '{
"userName": "newuser",
"email": "newuser@example.com",
"password": "securepassword123",
"roles": ["user"]
}'

Response:

{
"userName": "newuser",
"email": "newuser@example.com",
"roles": ["user"],
"organizations": []
}

Basic User List

GET /users

Returns:

[
{
"userName": "admin",
"email": "admin@example.com",
"roles": ["admin"],
"organizations": ["default-org"]
},
{
"userName": "user1",
"email": "user1@example.com",
"roles": ["user"],
"organizations": ["project-a", "project-b"]
}
]

Detailed User List

GET /users/detailed

Returns:

[
{
"userName": "user1",
"email": "user1@example.com",
"roles": ["user"],
"organizations": ["project-a"],
"storageQuota": 10737418240,
"storageUsed": 5368709120,
"organizationCount": 1,
"datasetCount": 5,
"createdDate": "2024-01-15T10:30:00Z"
}
]

Updating Users

curl -X PUT http://localhost:5000/users/username \
-H "Authorization: Bearer <admin-token>" \
-H "Content-Type: application/json" \
-d '{
"email": "newemail@example.com",
"roles": ["user", "editor"]
}'

Deleting Users

curl -X DELETE http://localhost:5000/users/username \
-H "Authorization: Bearer <admin-token>"

Changing Own Password

curl -X POST http://localhost:5000/users/changepwd \
-H "Authorization: Bearer <token>" \
-H "Content-Type: application/x-www-form-urlencoded" \
-d "oldPassword=currentPassword&newPassword=newSecurePassword"

Admin Password Reset

curl -X PUT http://localhost:5000/users/username/changepwd \
-H "Authorization: Bearer <admin-token>" \
-H "Content-Type: application/json" \
-d '{
"currentPassword": null,
"newPassword": "newSecurePassword"
}'

Creating a Role

curl -X POST http://localhost:5000/users/roles \
-H "Authorization: Bearer <admin-token>" \
-H "Content-Type: application/json" \
-d '{
"roleName": "editor"
}'

Listing Roles

curl http://localhost:5000/users/roles \
-H "Authorization: Bearer <token>"

Response:

["admin", "user", "editor", "viewer"]

Deleting a Role

curl -X DELETE http://localhost:5000/users/roles/rolename \
-H "Authorization: Bearer <admin-token>"

Assigning Roles to Users

curl -X PUT http://localhost:5000/users/username \
-H "Authorization: Bearer <admin-token>" \
-H "Content-Type: application/json" \
-d '{
"email": "user@example.com",
"roles": ["user", "editor"]
}'

View User's Organizations

curl http://localhost:5000/users/username/orgs \
-H "Authorization: Bearer <admin-token>"

Response:

[
{
"slug": "project-alpha",
"name": "Project Alpha",
"description": "Main project organization",
"creationDate": "2024-01-01T00:00:00Z",
"owner": "admin",
"isPublic": true
}
]

Assign Organizations to User

curl -X PUT http://localhost:5000/users/username/orgs \
-H "Authorization: Bearer <admin-token>" \
-H "Content-Type: application/x-www-form-urlencoded" \
-d "orgSlugs=project-alpha&orgSlugs=project-beta"

Creating Organizations

curl -X POST http://localhost:5000/orgs \
-H "Authorization: Bearer <token>" \
-H "Content-Type: application/x-www-form-urlencoded" \
-d "slug=my-org&name=My Organization&description=A new organization&isPublic=true"

Updating Organizations

curl -X PUT http://localhost:5000/orgs/my-org \
-H "Authorization: Bearer <token>" \
-H "Content-Type: application/x-www-form-urlencoded" \
-d "name=Updated Name&description=Updated description&isPublic=false"

Deleting Organizations

curl -X DELETE http://localhost:5000/orgs/my-org \
-H "Authorization: Bearer <token>"

Setting User Storage Quota

curl -X POST http://localhost:5000/users/username/meta \
-H "Authorization: Bearer <admin-token>" \
-H "Content-Type: application/json" \
-d '{
"maxStorageMB": 10240
}'

Viewing Storage Usage: Current User

curl http://localhost:5000/users/storage \
-H "Authorization: Bearer <token>"

Viewing Storage Usage: Specific User (Admin)

curl http://localhost:5000/users/username/storage \
-H "Authorization: Bearer <admin-token>"

Response:

{
"total": 10737418240,
"used": 5368709120
}

Getting User Metadata: Current User

curl http://localhost:5000/users/meta \
-H "Authorization: Bearer <token>"

Getting User Metadata: Specific User (Admin)

curl http://localhost:5000/users/username/meta \
-H "Authorization: Bearer <admin-token>"

Setting User Metadata

curl -X POST http://localhost:5000/users/username/meta \
-H "Authorization: Bearer <admin-token>" \
-H "Content-Type: application/json" \
-d '{
"maxStorageMB": 10240,
"department": "Engineering",
"customField": "customValue"
}'

Login

curl -X POST http://localhost:5000/users/authenticate \
-H "Content-Type: application/x-www-form-urlencoded" \
-d "username=admin&password=password"

Response:

{
"token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...",
"expires": "2024-01-22T10:30:00Z",
"userName": "admin",
"email": "admin@example.com",
"roles": ["admin"]
}

Token Refresh

curl -X POST http://localhost:5000/users/authenticate/refresh \
-H "Authorization: Bearer <token>"

Checking Management Status

curl http://localhost:5000/users/management-enabled

Response:

true
"""

REFERENCE = """
POST   /users/authenticate          No
POST   /users/authenticate/refresh  Yes
POST   /users                       Admin
GET    /users                       Admin
GET    /users/detailed              Admin
PUT    /users/{userName}            Admin
POST   /users/changepwd             Yes
PUT    /users/{userName}/changepwd  Admin
GET    /users/roles                 Yes
POST   /users/roles                 Admin
DELETE /users/roles/{roleName}      Admin
GET    /users/storage               Yes
GET    /users/{userName}/storage    Admin
GET    /users/meta                  Yes
GET    /users/{userName}/meta       Admin
POST   /users/{userName}/meta       Admin
GET    /users/{userName}/orgs       Admin
PUT    /users/{userName}/orgs       Admin
DELETE /users/{userName}            Admin
GET    /users/management-enabled    No
GET    /orgs                        No
GET    /orgs/{orgSlug}              No
POST   /orgs                        Yes
PUT    /orgs/{orgSlug}              Yes
DELETE /orgs/{orgSlug}              Yes
"""
"""The guide's table of endpoints with the required token; calls that delete a user come after those that read it."""
