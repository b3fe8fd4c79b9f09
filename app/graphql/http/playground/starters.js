/** The operations that a newcomer finds ready: plain data. */

export const WELCOME = `# Welcome. Ctrl+Enter runs the operation under the caret.
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
    about: "Answers a token; use it for all that follows.",
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
    about: "The signed-in user and her roles.",
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
    about: "A page of users; `after` takes the cursor of the last one.",
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
    about: "Needs the permission to manage users.",
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
