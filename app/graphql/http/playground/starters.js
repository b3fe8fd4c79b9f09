/** Example operations for new users. */

export const WELCOME = `# Welcome. Ctrl+Enter runs the operation at the cursor.
# Ctrl+Space completes; Ctrl+click on a name explains it.

query WhoAmI {
  viewer {
    user {
      userName
      roles {
        name
      }
    }
  }
}
`;

export const STARTERS = [
  {
    title: "Log in",
    about: "Returns a token for the following requests.",
    query: `mutation LogIn($input: LoginInput!) {
  login(input: $input) {
    session {
      token
      expiresAt
      user {
        userName
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
    variables: { input: { userName: "admin", password: "password" } },
  },
  {
    title: "Who am I",
    about: "The signed-in user and their roles.",
    query: `query WhoAmI {
  viewer {
    user {
      userName
      roles {
        name
      }
    }
  }
}
`,
    variables: null,
  },
  {
    title: "List users",
    about: "A page of users. `after` takes the `endCursor` of the previous page.",
    query: `query Users($first: Int = 20, $after: String) {
  users(first: $first, after: $after) {
    nodes {
      userName
      email
      roles {
        name
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    variables: { first: 20 },
  },
  {
    title: "Create a user",
    about: "Requires the permission USERS_MANAGE.",
    query: `mutation CreateUser($input: CreateUserInput!) {
  createUser(input: $input) {
    user {
      id
      userName
      roles {
        name
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
    variables: { input: { userName: "ann", email: "ann@example.org", password: "a long and quiet sentence" } },
  },
];
